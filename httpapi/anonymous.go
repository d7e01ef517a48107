package httpapi

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/api"
)

// Group is what the public handler shows of the members who can sign in
// anonymously.
type Group interface {
	// Group returns the newest snapshot; a [session.Error] while there is none to
	// prove anything against.
	Group(now time.Time) (api.Group, error)
	// Chain returns the signed snapshots as an answer.
	Chain(snapshots [][]byte) api.Roots
	// Page returns the JSON of a page by its root, nil if it is not served.
	Page(root string) []byte
}

// Artifact is a file that provers need. It does not change.
type Artifact struct {
	ContentType string
	Packed      []byte // gzip
}

// anonymousRoutes are the calls that only anonymous sessions need. Those that a
// client makes as nobody look at no secret, and refuse to be sent one.
func (p *public) anonymousRoutes() []route {
	const base = api.BasePath + "/anonymous"
	return []route{
		{apart, "GET", base + "/group", get(p.group), nil, false, downloading},
		{apart, "GET", base + "/pages/{root}", p.page, nil, false, downloading},
		{apart, "GET", base + "/roots", get(p.roots), []string{"after"}, false, downloading},
		{apart, "GET", base + "/artifacts/{sha256}", p.artifact, nil, false, downloading},
		{holder, "POST", base + "/members", handle(200, false, p.enrol), nil, false, metered},
		{holder, "DELETE", base + "/members", get(p.leave), nil, false, metered},
	}
}

func (p *public) group(*http.Request, call) (api.Group, error) {
	return p.members.Group(p.service.Now())
}

func (p *public) page(w http.ResponseWriter, r *http.Request, _ call) error {
	page := p.members.Page(r.PathValue("root"))
	if page == nil {
		return refuse(http.StatusNotFound, api.NotFound, "No such page. Ask for the group again.")
	}
	keep(w.Header())
	writeData(w, http.StatusOK, &pageText{page})
	return nil
}

// pageText is a page that was marshalled before.
type pageText struct{ json []byte }

// AppendJSON implements api.Appender.
func (t *pageText) AppendJSON(b []byte) []byte { return append(b, t.json...) }

// keep lets an answer be kept for as long as anybody likes: its address is a
// digest of it.
func keep(h http.Header) { h["Cache-Control"] = []string{"public, max-age=31536000, immutable"} }

func (p *public) roots(r *http.Request, _ call) (api.Roots, error) {
	var after *uint64
	if values := r.URL.Query()["after"]; len(values) > 0 {
		n, err := strconv.ParseUint(values[0], 10, 63)
		if err != nil || len(values) > 1 || values[0] != strconv.FormatUint(n, 10) {
			return api.Roots{}, refuse(http.StatusBadRequest, api.InvalidRequest, "after is the number of a snapshot.")
		}
		after = &n
	}
	list, err := p.service.Snapshots(r.Context(), after)
	if err != nil {
		return api.Roots{}, err
	}
	return p.members.Chain(list), nil
}

// artifactTimeout is how long a slow line may take for an artifact.
const artifactTimeout = 5 * time.Minute

func (p *public) artifact(w http.ResponseWriter, r *http.Request, _ call) error {
	a, ok := p.artifacts[r.PathValue("sha256")]
	if !ok {
		return refuse(http.StatusNotFound, api.NotFound, "No such artifact.")
	}
	var body io.Reader = bytes.NewReader(a.Packed)
	h := w.Header()
	h["Vary"] = slices.Concat(h["Vary"], []string{"Accept-Encoding"})
	h.Set("Content-Type", a.ContentType)
	keep(h)
	if acceptsGzip(r) {
		h.Set("Content-Encoding", "gzip")
		h.Set("Content-Length", strconv.Itoa(len(a.Packed)))
	} else {
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			return err
		}
		body = unpacked
	}
	// Without more time there is the usual one.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(artifactTimeout))
	_, err := io.Copy(w, body)
	return ignoreWrite(err)
}

// acceptsGzip reports whether a client says so (RFC 9110, section 12.5.3); "*"
// and odd weights count as no, which is always right.
func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(strings.Join(r.Header["Accept-Encoding"], ","), ",") {
		name, weight, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			weight = strings.ReplaceAll(weight, " ", "")
			return weight == "" || strings.Trim(weight, "q=0.") != ""
		}
	}
	return false
}

func (p *public) enrol(r *http.Request, c call, in api.EnrolRequest) (api.Membership, error) {
	m, err := p.service.Enrol(r.Context(), c.session, session.EnrolRequest{Commitment: in.Commitment, Nonce: in.Challenge, Proof: in.Proof})
	return api.Membership{Status: string(m.Status())}, err
}

func (p *public) leave(r *http.Request, c call) (api.Membership, error) {
	m, err := p.service.Leave(r.Context(), c.session)
	return api.Membership{Status: string(m.Status())}, err
}
