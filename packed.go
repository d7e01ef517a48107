package session

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
	"time"

	"github.com/mentalverse/session/token"
)

// A packed session is what the live table keeps of one: about 150 bytes without
// a pointer. In front stand what is looked at most; then numbers as varints,
// times as their distance from the creation; then texts.
const (
	packedID    = 0
	packedSeed  = packedID + len(token.ID{})
	packedFlags = packedSeed + 32
	packedTag   = packedFlags + 1 // of its last token whose signature was found good
	packedRest  = packedTag + len(tokenTag{})
)

// The flags of a packed session.
const (
	packedEnded = 1 << iota
	packedStale // its stored state is no longer known
)

// endReasons gives each reason its place in a packed session.
var endReasons = [...]EndReason{"", EndLogout, EndRevoked, EndIdle, EndAbsolute, EndRefreshReuse, EndLicenceChanged, EndLimit}

// appendPacked appends a session whose terms have the number. Its restore epoch
// is the table's.
func appendPacked(b []byte, s *Session, tag tokenTag, terms uint32) []byte {
	b = append(b, s.ID[:]...)
	b = append(b, s.Seed[:]...)
	var flags byte
	if s.Ended() {
		flags = packedEnded
	}
	b = append(b, flags)
	b = append(b, tag[:]...)
	b = binary.AppendUvarint(b, uint64(terms))
	b = binary.AppendUvarint(b, s.Version)
	for _, n := range [...]uint32{s.Generation, s.UsedGen, s.MinGen, s.Cut} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	created := s.CreatedAt.Unix()
	b = binary.AppendVarint(b, created-s.ID.Time().Unix())
	for _, t := range [...]time.Time{s.AuthTime, s.ExpiresAt, s.AbsoluteEnd} {
		b = binary.AppendVarint(b, t.Unix()-created)
	}
	for _, t := range [...]time.Time{s.LastActivity, s.SteppedAt} {
		b = binary.AppendVarint(b, t.UnixMilli()-created*1000)
	}
	if s.Ended() {
		b = binary.AppendVarint(b, s.EndedAt.UnixMilli()-created*1000)
		b = append(b, byte(max(0, slices.Index(endReasons[:], s.EndReason))))
	}
	b = appendText(b, s.Subject.ID)
	b = appendText(b, s.Subject.Account.Address)
	if s.Type == Professional {
		b = appendText(b, s.Subject.Professional)
	}
	b = binary.AppendUvarint(b, uint64(len(s.SeenKeys)))
	for _, k := range s.SeenKeys {
		b = append(b, k[:]...)
	}
	return b
}

// readPacked is the reverse of appendPacked, into a zero session; terms fills in
// what they hold.
func readPacked(b []byte, terms *termsTable, s *Session) {
	s.ID = token.ID(b[packedID:])
	s.Seed = [32]byte(b[packedSeed:])
	ended := b[packedFlags]&packedEnded != 0
	r := packedReader(b[packedRest:])
	terms.fill(uint32(r.uvarint()), s)
	s.Version = r.uvarint()
	s.Generation, s.UsedGen, s.MinGen, s.Cut = uint32(r.uvarint()), uint32(r.uvarint()), uint32(r.uvarint()), uint32(r.uvarint())
	created := s.ID.Time().Unix() + r.varint()
	s.CreatedAt = time.Unix(created, 0).UTC()
	for _, t := range [...]*time.Time{&s.AuthTime, &s.ExpiresAt, &s.AbsoluteEnd} {
		*t = time.Unix(created+r.varint(), 0).UTC()
	}
	for _, t := range [...]*time.Time{&s.LastActivity, &s.SteppedAt} {
		*t = time.UnixMilli(created*1000 + r.varint()).UTC()
	}
	if ended {
		s.EndedAt = time.UnixMilli(created*1000 + r.varint()).UTC()
		s.EndReason = endReasons[r[0]]
		r = r[1:]
	}
	var text [256]byte
	both, n := r.text(text[:0]), 0
	n = len(both)
	both = r.text(both)
	texts := string(both)
	s.Subject.ID, s.Subject.Account.Address = texts[:n], texts[n:]
	if s.Type == Professional {
		s.Subject.Professional = string(r.text(text[:0]))
	}
	if n := r.uvarint(); n > 0 {
		s.SeenKeys = make([]KeyHash, n)
		for i := range s.SeenKeys {
			s.SeenKeys[i] = KeyHash(r[16*i:])
		}
	}
}

// packedTerms returns the number of a packed session's terms.
func packedTerms(b []byte) uint32 {
	r := packedReader(b[packedRest:])
	return uint32(r.uvarint())
}

// packedVersion returns a packed session's version.
func packedVersion(b []byte) uint64 {
	r := packedReader(b[packedRest:])
	r.uvarint() // its terms
	return r.uvarint()
}

// packedReader takes one part after another off a packed session, which only
// this process writes.
type packedReader []byte

func (r *packedReader) uvarint() uint64 {
	if b := *r; b[0] < 0x80 { // as most are
		*r = b[1:]
		return uint64(b[0])
	}
	return r.wide()
}

func (r *packedReader) wide() uint64 {
	v, n := binary.Uvarint(*r)
	*r = (*r)[n:]
	return v
}

func (r *packedReader) varint() int64 {
	v := r.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

// textEncoding spells six bits in each of the letters that the ids of subjects
// and the addresses of every chain are made of.
var textEncoding = base64.RawURLEncoding

// appendText appends a text: in six bits a letter where its alphabet allows.
func appendText(b []byte, s string) []byte {
	head := len(b)
	b = binary.AppendUvarint(b, uint64(len(s))<<1|1)
	padded := append(append(make([]byte, 0, 128), s...), "AAA"[:-len(s)&3]...)
	out, err := textEncoding.AppendDecode(b, padded)
	if err != nil || len(out) != len(b)+len(padded)/4*3 { // the decoder skips line breaks
		b = binary.AppendUvarint(b[:head], uint64(len(s))<<1)
		return append(b, s...)
	}
	return out
}

// text appends a text that appendText wrote.
func (r *packedReader) text(to []byte) []byte {
	head := r.uvarint()
	n := int(head >> 1)
	if head&1 == 0 {
		to = append(to, (*r)[:n]...)
		*r = (*r)[n:]
		return to
	}
	packed := (n + 3) / 4 * 3
	from := len(to)
	to = textEncoding.AppendEncode(to, (*r)[:packed])
	*r = (*r)[packed:]
	return to[:from+n]
}
