package server

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"

	"github.com/mentalverse/session/anonymous"
	"github.com/mentalverse/session/anonymous/artifacts"
	"github.com/mentalverse/session/httpapi"
	"github.com/mentalverse/session/web"
)

// pages are the embedded ones, as the public listener serves them.
func pages(o web.Options) map[string]httpapi.Page {
	out := map[string]httpapi.Page{}
	for _, f := range web.Files(o) {
		out[f.Path] = httpapi.Page{ContentType: f.ContentType, Body: f.Body, Workers: f.Workers, WebAssembly: f.WebAssembly}
	}
	return out
}

// private is what the page knows of anonymous sessions; nil where there are
// none, or no prover to be had from here.
func private(host *anonymous.Host, files map[string]httpapi.Artifact) (*web.Private, error) {
	if host == nil || files == nil {
		return nil, nil
	}
	p := &web.Private{
		Service: string(host.Service), Epoch: host.Epochs.EpochEnd(0).Unix(), // the first began with 1970
		Key: base64.RawURLEncoding.EncodeToString(host.Key.Public().(ed25519.PublicKey)),
	}
	for name, to := range map[string]*string{artifacts.Prover: &p.Prover, artifacts.Circuit: &p.Circuit, artifacts.Key: &p.ProvingKey} {
		digest, err := artifacts.Digest(name)
		if err != nil {
			return nil, err
		}
		*to = digest
		packed := files[digest].Packed
		p.Size += int64(binary.LittleEndian.Uint32(packed[len(packed)-4:])) // RFC 1952, section 2.3.1: ISIZE
	}
	return p, nil
}
