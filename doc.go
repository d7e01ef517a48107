// Package session is the domain of MentalVerse Sessions: what a session is, who
// it is for, how long it lives, what it permits, and how it ends.
//
// The package owns every rule. It knows no HTTP, no SQL and no chain: [Store]
// keeps what it decides, [Verifier] tells whose credential was shown, and
// [Service] puts them together. Time is always a parameter or comes from the
// service's clock; nothing here reads a database's clock.
//
// The verbs are the ceremony's: Challenge, Create, Validate, Refresh, Revoke.
package session
