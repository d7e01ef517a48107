// Package api holds what goes over the wire: the envelope, the shapes of
// requests and answers, the error codes, and the strict reader of JSON from
// outside. The server, the clients and the command line share it.
package api
