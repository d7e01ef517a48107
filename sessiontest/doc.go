// Package sessiontest holds fakes that others may use in their tests too.
package sessiontest
