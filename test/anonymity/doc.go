// Package anonymity holds what is stored of many people who sign in anonymously
// against somebody who wants to know who is who.
package anonymity
