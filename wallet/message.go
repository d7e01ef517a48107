package wallet

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// Message is a sign-in text (CAIP-122, in the field order of EIP-4361). Every
// field is one line.
type Message struct {
	Domain         string
	Noun           string // of the first line, such as "Internet Computer"
	Address        string
	Statement      string
	URI            string
	Version        string
	ChainID        string
	Nonce          string
	IssuedAt       string
	ExpirationTime string
	RequestID      string
	Resources      []string
}

const (
	firstLineMid = " wants you to sign in with your "
	firstLineEnd = " account:"
)

// fields are the labelled lines, in their order.
func (m *Message) fields() []struct {
	label string
	value *string
} {
	return []struct {
		label string
		value *string
	}{
		{"URI: ", &m.URI}, {"Version: ", &m.Version}, {"Chain ID: ", &m.ChainID}, {"Nonce: ", &m.Nonce},
		{"Issued At: ", &m.IssuedAt}, {"Expiration Time: ", &m.ExpirationTime}, {"Request ID: ", &m.RequestID},
	}
}

// String renders the text.
func (m Message) String() string {
	var b strings.Builder
	b.WriteString(m.Domain + firstLineMid + m.Noun + firstLineEnd + "\n" + m.Address + "\n\n" + m.Statement + "\n\n")
	for _, f := range m.fields() {
		b.WriteString(f.label + *f.value + "\n")
	}
	b.WriteString("Resources:")
	for _, r := range m.Resources {
		b.WriteString("\n- " + r)
	}
	return b.String()
}

// Bounds of a text.
const (
	maxMessage   = 4096
	maxResources = 8
)

var errMessage = errors.New("wallet: not a sign-in text of this service's form")

// ParseMessage reads a text in exactly the form String renders: every field
// present, in order, once, not empty, and nothing else.
func ParseMessage(s string) (Message, error) {
	var m Message
	if len(s) > maxMessage || !utf8.ValidString(s) || strings.Contains(s, "\r") {
		return m, errMessage
	}
	lines := strings.Split(s, "\n")
	// first line, address, "", statement, "", seven fields, "Resources:", at least one
	const labelled = 5
	if len(lines) < labelled+7+2 || len(lines) > labelled+7+1+maxResources {
		return m, errMessage
	}
	head, ok := strings.CutSuffix(lines[0], firstLineEnd)
	if !ok {
		return m, errMessage
	}
	if m.Domain, m.Noun, ok = strings.Cut(head, firstLineMid); !ok {
		return m, errMessage
	}
	m.Address, m.Statement = lines[1], lines[3]
	if m.Domain == "" || m.Noun == "" || m.Address == "" || m.Statement == "" || lines[2] != "" || lines[4] != "" {
		return m, errMessage
	}
	for i, f := range m.fields() {
		if *f.value, ok = strings.CutPrefix(lines[labelled+i], f.label); !ok || *f.value == "" {
			return m, errMessage
		}
	}
	if lines[labelled+7] != "Resources:" {
		return m, errMessage
	}
	for _, line := range lines[labelled+8:] {
		r, ok := strings.CutPrefix(line, "- ")
		if !ok || r == "" {
			return m, errMessage
		}
		m.Resources = append(m.Resources, r)
	}
	return m, nil
}
