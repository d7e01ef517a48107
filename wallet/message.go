package wallet

import (
	"errors"
	"regexp"
	"strings"
	"time"
)

// Message is a sign-in text: EIP-4361 for any chain (CAIP-122). Every field is
// one line, kept as it was written. An optional field that is absent is "".
type Message struct {
	Scheme         string // optional, before the domain
	Domain         string // RFC 3986 authority
	Noun           string // of the first line, such as "Internet Computer"
	Address        string
	Statement      string // optional
	URI            string
	Version        string
	ChainID        string
	Nonce          string
	IssuedAt       string
	ExpirationTime string   // optional
	NotBefore      string   // optional
	RequestID      string   // optional
	Resources      []string // optional: nil when absent, and it may be there and empty
}

const (
	firstLineMid = " wants you to sign in with your "
	firstLineEnd = " account:"
	resources    = "Resources:"
)

// field is a labelled line.
type field struct {
	label    string
	value    *string
	optional bool
	valid    func(string) bool
}

// fields are the labelled lines, in their order.
func (m *Message) fields() []field {
	return []field{
		{"URI: ", &m.URI, false, isURI},
		{"Version: ", &m.Version, false, func(s string) bool { return s == "1" }},
		{"Chain ID: ", &m.ChainID, false, isChainID},
		{"Nonce: ", &m.Nonce, false, isNonce},
		{"Issued At: ", &m.IssuedAt, false, isDateTime},
		{"Expiration Time: ", &m.ExpirationTime, true, isDateTime},
		{"Not Before: ", &m.NotBefore, true, isDateTime},
		{"Request ID: ", &m.RequestID, true, isRequestID},
	}
}

// String renders the text: of a message that was read, byte for byte what was
// read.
func (m Message) String() string {
	var b strings.Builder
	if m.Scheme != "" {
		b.WriteString(m.Scheme + "://")
	}
	b.WriteString(m.Domain + firstLineMid + m.Noun + firstLineEnd + "\n" + m.Address + "\n\n")
	if m.Statement != "" {
		b.WriteString(m.Statement + "\n")
	}
	for _, f := range m.fields() {
		if *f.value != "" || !f.optional {
			b.WriteString("\n" + f.label + *f.value)
		}
	}
	if m.Resources != nil {
		b.WriteString("\n" + resources)
	}
	for _, r := range m.Resources {
		b.WriteString("\n- " + r)
	}
	return b.String()
}

// Bounds of a text.
const (
	maxMessage   = 4096
	maxResources = 8
	// minNonce is the fewest letters and digits that can hold 128 random bits.
	// EIP-4361 asks for 8; this service's own nonces have 64.
	minNonce = 22
)

// Why a text is not read, by its part; for the log.
var (
	errSize      = errors.New("wallet: a sign-in text is too long")
	errFirstLine = errors.New("wallet: a sign-in text's first line")
	errAddress   = errors.New("wallet: a sign-in text's address")
	errStatement = errors.New("wallet: a sign-in text's statement")
	errFields    = errors.New("wallet: a sign-in text's fields")
	errResources = errors.New("wallet: a sign-in text's resources")
)

// ParseMessage reads a text by the grammar of EIP-4361, with the addresses and
// chain IDs of CAIP-10 and CAIP-2: each field once, in order, nothing else. It
// is stricter in these: a nonce has at least 22 characters, a domain names a
// host, a request ID is not empty, times have a capital T and Z and no leap
// second. That a text is this service's own, only a comparison can tell.
func ParseMessage(s string) (Message, error) {
	var m Message
	if len(s) > maxMessage {
		return m, errSize
	}
	first, rest, _ := strings.Cut(s, "\n")
	head, ok := strings.CutSuffix(first, firstLineEnd)
	if !ok {
		return m, errFirstLine
	}
	if m.Domain, m.Noun, ok = strings.Cut(head, firstLineMid); !ok || !isNoun(m.Noun) {
		return m, errFirstLine
	}
	if scheme, domain, found := strings.Cut(m.Domain, "://"); found {
		if !isScheme(scheme) {
			return m, errFirstLine
		}
		m.Scheme, m.Domain = scheme, domain
	}
	if !isAuthority(m.Domain) {
		return m, errFirstLine
	}
	if m.Address, rest, ok = strings.Cut(rest, "\n\n"); !ok || !isAddress(m.Address) {
		return m, errAddress
	}
	if m.Statement, rest, ok = strings.Cut(rest, "\n"); !ok || !isStatement(m.Statement) {
		return m, errStatement
	}
	if m.Statement != "" {
		if rest, ok = strings.CutPrefix(rest, "\n"); !ok {
			return m, errStatement
		}
	}
	lines := strings.Split(rest, "\n")
	for _, f := range m.fields() {
		if len(lines) > 0 {
			if *f.value, ok = strings.CutPrefix(lines[0], f.label); ok {
				if !f.valid(*f.value) {
					return m, errFields
				}
				lines = lines[1:]
				continue
			}
			*f.value = ""
		}
		if !f.optional {
			return m, errFields
		}
	}
	if len(lines) == 0 {
		return m, nil
	}
	if lines[0] != resources {
		return m, errFields
	}
	if m.Resources = lines[1:]; len(m.Resources) > maxResources {
		return m, errResources
	}
	for i, line := range m.Resources {
		r, ok := strings.CutPrefix(line, "- ")
		if !ok || !isURI(r) {
			return m, errResources
		}
		m.Resources[i] = r
	}
	return m, nil
}

// isStatement tells whether s may stand in a statement: the reserved and
// unreserved characters of RFC 3986 and spaces, so printable ASCII without a
// few marks.
func isStatement(s string) bool { return only(s, unreserved+subDelims+genDelims+" ") }

func isNoun(s string) bool {
	return s != "" && only(s, alpha+digit+" ") && s == strings.TrimSpace(s)
}

// isAddress tells an account address of CAIP-10. Its chain is stricter.
func isAddress(s string) bool {
	return s != "" && len(s) <= 128 && only(s, alpha+digit+"-.%")
}

// isChainID tells a chain ID of CAIP-2, or its reference alone.
func isChainID(s string) bool {
	namespace, reference, found := strings.Cut(s, ":")
	if !found {
		namespace, reference = "eip155", s
	}
	return len(namespace) >= 3 && len(namespace) <= 8 && only(namespace, "-abcdefghijklmnopqrstuvwxyz"+digit) &&
		reference != "" && len(reference) <= 32 && only(reference, alpha+digit+"-_")
}

func isNonce(s string) bool { return len(s) >= minNonce && only(s, alpha+digit) }

func isRequestID(s string) bool { return s != "" && encoded(s, pchar) }

// dateTime is the shape of RFC 3339, section 5.6. time.Parse knows the calendar
// and the clock, but takes one-digit hours, commas and zones of a day as well.
var dateTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

func isDateTime(s string) bool {
	_, err := time.Parse(time.RFC3339, s)
	return err == nil && dateTime.MatchString(s)
}
