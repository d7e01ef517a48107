package client

import (
	"net/http"

	"github.com/mentalverse/session/api"
)

// FeedAge is how old the feed's last word may be.
const FeedAge = maxAge

// ReadFeed and ReadValidation read an answer as it came from the network.
func ReadFeed(status int, header http.Header, body []byte) (*api.Feed, error) {
	return readFeed(answer{status, header, body})
}

func ReadValidation(status int, header http.Header, body []byte) (*api.ServiceValidation, error) {
	return readValidation(answer{status, header, body})
}

// MaxReports is how many sightings of a kind wait.
const MaxReports = maxReports

// Young judges the age of the feed's last word by both clocks.
var Young = young
