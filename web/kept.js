// What this browser keeps of a service between visits: how it named itself, and
// the last snapshot of its group. Nothing of who was here.

function store(mode, use) {
  return new Promise((resolve, reject) => {
    const open = indexedDB.open('seen', 1);
    open.onupgradeneeded = () => open.result.createObjectStore('seen');
    open.onerror = () => reject(open.error);
    open.onsuccess = () => {
      const r = use(open.result.transaction('seen', mode).objectStore('seen'));
      r.onsuccess = () => { open.result.close(); resolve(r.result); };
      r.onerror = () => { open.result.close(); reject(r.error); };
    };
  });
}

export const load = () => store('readonly', (s) => s.get('group'));
export const save = (seen) => store('readwrite', (s) => s.put(seen, 'group'));
