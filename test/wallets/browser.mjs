// What the wallets' libraries need of a browser: a window with events, and
// clicks that a handler runs inside of.
export function browser() {
  const clicks = { before: [], after: [] };
  const window = new EventTarget();
  const listen = window.addEventListener.bind(window);
  window.addEventListener = (type, f, capture) => (type === 'click' ? clicks[capture ? 'before' : 'after'].push(f) : listen(type, f));
  window.click = (handler) => {
    clicks.before.forEach((f) => f());
    const result = handler();
    clicks.after.forEach((f) => f());
    return result;
  };
  window.open = (url) => window.opens(url, window);
  window.focus = () => {};
  globalThis.window = window;
  globalThis.document = {};
  Promise.withResolvers ??= () => { const out = {}; out.promise = new Promise((resolve, reject) => Object.assign(out, { resolve, reject })); return out; }; // Node 20 lacks it
  const kept = new Map();
  globalThis.localStorage = { getItem: (k) => kept.get(k) ?? null, setItem: (k, v) => kept.set(k, String(v)), removeItem: (k) => kept.delete(k) };
  return window;
}
