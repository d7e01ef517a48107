package icp

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"strings"
)

// selfAuthenticating is the last byte of a principal made from a public key.
const selfAuthenticating = 0x02

var (
	principalEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

	// ErrPrincipal tells of a text that is not a person's principal in its one
	// canonical form: 29 bytes that end in 0x02.
	ErrPrincipal = errors.New("icp: not a self-authenticating principal in canonical form")
)

// principalOf returns the principal of a DER public key: SHA-224(DER) ‖ 02.
func principalOf(der []byte) string {
	sum := sha256.Sum224(der)
	return encodePrincipal(append(sum[:], selfAuthenticating))
}

// encodePrincipal is base32 of CRC32 ‖ raw, lower case, in groups of five.
func encodePrincipal(raw []byte) string {
	b := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(raw))
	text := principalEncoding.EncodeToString(append(b, raw...))
	var out strings.Builder
	for i, c := range text {
		if i > 0 && i%5 == 0 {
			out.WriteByte('-')
		}
		out.WriteRune(c)
	}
	return out.String()
}

// principalTextLen is that of 29 bytes: 53 characters and 10 dashes.
const principalTextLen = 63

// CheckPrincipal refuses anything but a person's principal in canonical form:
// no canister, no anonymous principal, no other case or grouping.
func CheckPrincipal(text string) error {
	if len(text) != principalTextLen || strings.ContainsAny(text, "\r\n") {
		return ErrPrincipal
	}
	b, err := principalEncoding.DecodeString(strings.ReplaceAll(text, "-", ""))
	if err != nil || len(b) != 4+29 || b[len(b)-1] != selfAuthenticating || encodePrincipal(b[4:]) != text {
		return ErrPrincipal
	}
	return nil
}
