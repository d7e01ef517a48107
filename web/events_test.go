package web

import (
	"os/exec"
	"testing"

	"github.com/mentalverse/session/test/node"
)

// What happened while the socket was gone, nobody told: the page asks how things
// stand before it opens another. A session that ended meanwhile opens none.
func TestAPageThatHeardNothingAsks(t *testing.T) {
	node.Need(t)
	out, err := exec.Command("node", "--input-type=module", "-e", `
		import assert from 'node:assert/strict';
		const sockets = [], timers = [];
		globalThis.location = { origin: 'http://localhost' };
		globalThis.WebSocket = class { constructor() { sockets.push(this); } close() {} };
		globalThis.setTimeout = (f) => timers.push(f);
		globalThis.clearTimeout = () => {};
		const { follow } = await import('./events.js');
		let lives = true, asked = 0;
		const look = () => { asked++; if (lives) follow(look); };
		follow(look);
		sockets[0].onclose({ code: 1006 });
		timers.pop()();
		assert.deepEqual([asked, sockets.length], [1, 2], 'it is asked, and another opened');
		lives = false;
		sockets[1].onclose({ code: 1006 });
		timers.pop()();
		assert.deepEqual([asked, sockets.length, timers.length], [2, 2, 0], 'it is asked, and no other opened');
	`).CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
