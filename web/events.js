// Hears at once of what happens to this browser's session elsewhere.

let socket = null;
let again; // the timer of the next attempt
let wait = 1; // seconds before it

// follow keeps a socket open, by the session's cookies, and calls changed when
// the session has ended or changed. When the socket was lost it calls changed too,
// which follows again if the session still lives: nobody told what happened meanwhile.
export function follow(changed) {
  if (socket || again) return;
  const mine = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/api/auth/sessions/events`, 'mentalverse.session.v1');
  socket = mine;
  mine.onopen = () => { wait = 1; };
  mine.onmessage = ({ data }) => {
    if (['session.ended', 'session.updated'].includes(JSON.parse(data).event)) changed();
  };
  mine.onclose = ({ code }) => {
    if (socket !== mine) return;
    socket = null;
    if (code === 4001) return; // the session has ended
    again = setTimeout(() => { again = undefined; changed(); }, (wait + Math.random()) * 1000);
    wait = Math.min(2 * wait, 60);
  };
}

// unfollow closes the socket.
export function unfollow() {
  clearTimeout(again);
  again = undefined;
  const old = socket;
  socket = null;
  old?.close();
}
