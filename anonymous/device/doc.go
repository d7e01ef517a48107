// Package device is the device's half of anonymous sign-in: what every client
// of this service does so that the service cannot tell its members apart.
//
//	d := device.New("https://sessions.example.org", "identity")
//	membership, err := d.Enrol(ctx, tokenOfAStandardSession)
//	tokens, err := d.SignIn(ctx) // once the commitment has entered the group
//
// A [Device] keeps a secret in a file, and beside it what it knows of one
// service: the service's id, the length of its epochs and the group's key, which
// it pins at the first contact, the head of the snapshots' chain, and the pages
// of the group. It trusts the service with none of these again: another id, a
// chain that is not a continuation, a group that is not the chain's head, a
// challenge for other values than its own are refused before anything is proven.
//
// Calls that must not name anyone go over connections of their own, without
// cookies, redirects or an Authorization, and all pages are asked for, never one.
// An address still tells where a call comes from, and a sign-in right after an
// enrolment who made it.
package device
