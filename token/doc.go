// Package token makes and checks what a session shows: its id, its session
// tokens (JWT) and its refresh tokens. Everything here is a pure function over
// keys and time; nothing is stored and nothing knows of users or policies.
package token
