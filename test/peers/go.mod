module github.com/mentalverse/session/test/peers

go 1.26.0

require (
	github.com/alexedwards/scs/v2 v2.9.0
	github.com/golang-jwt/jwt/v5 v5.3.1
)
