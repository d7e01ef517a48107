import { describe, expect, it, vi } from 'vitest';
import { SecureStorage } from '../src/index.js';
import type { SessionManager } from '../src/index.js';
import { read, write } from '../src/database.js';
import { clearSite, header, outcome, signedIn } from './world.js';

const state = (m: SessionManager) => m.getSnapshot();

describe('SecureStorage', () => {
  it('survives a reload, keeps nothing readable, and binds an item to its place', async () => {
    const a = new SecureStorage();
    await a.setItem('x', 'geheim ✓');
    expect(await new SecureStorage().getItem('x')).toBe('geheim ✓');
    const kept = await read('item:x') as string;
    expect(kept).toMatch(/^1\.[\w-]+$/);
    expect(kept.length).toBeLessThan(70);
    await write('item:y', kept);
    expect(await a.getItem('y')).toBeNull();
    await write('item:x', `${kept.slice(0, -2)}AA`);
    expect(await a.getItem('x')).toBeNull();
    await write('item:x', '2.AAAA');
    expect(await a.getItem('x')).toBeNull();
    await a.removeItem('x');
    expect(await a.getItem('x')).toBeNull();
    expect((await a.encryptionKey).extractable).toBe(false);
    await expect(crypto.subtle.exportKey('raw', await a.encryptionKey)).rejects.toThrow();
    expect(await a.decrypt(await a.encrypt('text'))).toBe('text');
    expect(a.durable).toBe(true);
  });

  it('makes one key when two tabs begin at once, and agrees again after the site is cleared', async () => {
    const [a, b] = [new SecureStorage(), new SecureStorage()];
    await Promise.all([a.setItem('a', '1'), b.setItem('b', '2')]);
    expect([await b.getItem('a'), await a.getItem('b')]).toEqual(['1', '2']);
    await clearSite();
    expect(await a.getItem('a')).toBeNull();
    await new SecureStorage().setItem('c', '3');
    await a.setItem('d', '4');
    expect(await new SecureStorage().getItem('d')).toBe('4');
    expect(await b.getItem('c')).toBe('3');
  });

  it('lives in memory where storage is denied or full', async () => {
    await clearSite();
    vi.stubGlobal('indexedDB', { open() { throw new DOMException('denied', 'SecurityError'); } });
    const a = new SecureStorage();
    await a.setItem('x', '1');
    expect([await a.getItem('x'), a.durable]).toEqual(['1', false]);
    await a.removeItem('x');
    expect(await a.getItem('x')).toBeNull();
    const m = await signedIn(header);
    expect(state(m).status).toBe('authenticated');
    await outcome(m.refreshSession());
    await outcome(m.logout());
    vi.stubGlobal('indexedDB', { open() { const r: { onerror?: () => void } = {}; queueMicrotask(() => r.onerror?.()); return r; } });
    expect(await read('x')).toBeUndefined();
    vi.stubGlobal('crypto', { getRandomValues: crypto.getRandomValues.bind(crypto), randomUUID: crypto.randomUUID.bind(crypto) });
    const b = new SecureStorage();
    await b.setItem('x', '2');
    expect(await b.getItem('x')).toBe('2');
  });
});
