// Package client checks sessions in the process of a service of the platform, and
// learns of what ends them from the session service's feed.
//
// A token that was seen before is answered from memory. The first token of a
// session costs a signature check and one question to the session service; later
// tokens of it cost the signature check. A call of [Client.Verify] that begins
// more than five seconds after a revocation was acknowledged never says that the
// session is valid, whatever the network does: an answer from memory must rest on
// an answer of the feed that is younger than that, and a client that has none is
// blind. What it does then is [WhenBlind]'s to say. A session service that cannot
// answer is "unavailable", never "log in again".
//
// No token stands in the client's memory after its call, only a keyed hash of it.
// Nothing of tokens, keys or people is logged.
//
// The package leaves to its caller what a session's holder may do beyond its
// permissions, and to the session service everything that changes a session.
package client
