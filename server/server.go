package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/anonymous"
	"github.com/mentalverse/session/api"
	"github.com/mentalverse/session/events"
	"github.com/mentalverse/session/httpapi"
	"github.com/mentalverse/session/store/sqlite"
	"github.com/mentalverse/session/wallet"
	"github.com/mentalverse/session/wallet/ethereum"
	"github.com/mentalverse/session/wallet/icp"
	"github.com/mentalverse/session/wallet/solana"
	"github.com/mentalverse/session/web"
)

// Bounds of a connection.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second
	writeTimeout      = 30 * time.Second
	idleTimeout       = time.Minute // a connection that broke over HTTP/2 is held as long
	maxHeaderBytes    = 16 << 10
	headerSlack       = 4 << 10 // what net/http reads beyond its bound over HTTP/1
)

// Addresses are where a running server listens.
type Addresses struct{ Public, Operator string }

// Run serves until ctx is done, then drains. ready, when not nil, is called
// once both listeners accept.
func Run(ctx context.Context, c Config, logTo io.Writer, ready func(Addresses)) error {
	if err := c.Check(); err != nil {
		return err
	}
	log := c.logger(logTo)
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return err
	}
	public, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return err
	}
	defer public.Close()
	operator, err := net.Listen("tcp", c.OperatorListen)
	if err != nil {
		return err
	}
	defer operator.Close()
	if public, err = c.secure(public, log); err != nil {
		return err
	}
	if c.PublicURL == "" {
		c.Listen = public.Addr().String() // port 0 is known only now
	}

	m := newMetrics()
	// The service and its clock outlive the listeners: what drains may still write.
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	if c.Now == nil {
		clock := newClock(machine(), log, m)
		c.Now = clock.Now
		go clock.run(work)
	}
	var bell bell
	service, host, store, err := c.open(ctx, log, m, bell.ring)
	if err != nil {
		return err
	}
	m.watch(service)
	hub, err := newHub(ctx, service, log)
	if err != nil {
		return errors.Join(err, store.Close())
	}
	bell.hub.Store(hub)
	sockets := c.sockets(hub, log)
	m.watchSockets(sockets)
	handlers, err := c.handlers(service, host, hub, sockets, log, m)
	if err != nil {
		return errors.Join(err, store.Close())
	}
	servers := []*http.Server{newHTTPServer(handlers[0], log), newHTTPServer(handlers[1], log)}

	ran := make(chan error, 2)
	go func() { ran <- service.Run(work) }()
	go func() { ran <- hub.Run(work) }()
	served := make(chan error, len(servers))
	for i, l := range []net.Listener{public, operator} {
		go func() { served <- servers[i].Serve(l) }()
	}
	at := Addresses{Public: public.Addr().String(), Operator: operator.Addr().String()}
	log.Info("serving", "listen", at.Public, "operator_listen", at.Operator, "public_url", c.publicURL(), "dev", c.Dev, "limits", c.limits() != nil)
	if c.Chaos {
		log.Warn("chaos: a tenth of the calls is delayed, a tenth refused, and a tenth of the refreshes loses its answer")
	}
	if ready != nil {
		ready(at)
	}

	select {
	case <-ctx.Done():
		log.Info("draining", "timeout", c.DrainTimeout.String())
	case err = <-served:
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.DrainTimeout)
	defer cancel()
	hub.Drain() // who waits for events is answered now
	hungUp := make(chan struct{})
	go func() {
		defer close(hungUp)
		sockets.Shutdown()
	}()
	for _, s := range servers {
		if e := s.Shutdown(drain); e != nil {
			err = errors.Join(err, fmt.Errorf("draining: %w", e), s.Close())
		}
	}
	<-hungUp
	stop()
	err = errors.Join(err, <-ran, <-ran, store.Close())
	log.Info("stopped")
	return err
}

// handlers are the public listener's and the operators'.
func (c *Config) handlers(service *session.Service, host *anonymous.Host, hub *events.Hub, sockets *httpapi.Sockets, log *slog.Logger, m *metrics) ([2]http.Handler, error) {
	own := httpapi.Options{Origin: c.publicURL(), Hosts: c.Hosts, Dev: c.Dev, Log: log, Count: m.count}
	operator, err := httpapi.Operator(service, m.handler(), own)
	if err != nil {
		return [2]http.Handler{}, err
	}
	if own.Artifacts, err = c.artifacts(); err != nil {
		return [2]http.Handler{}, err
	}
	if host != nil {
		own.Group = host
	}
	offered, err := private(host, own.Artifacts)
	if err != nil {
		return [2]http.Handler{}, err
	}
	own.Sockets = sockets
	if hub != nil {
		own.Feed = hub
	}
	own.AnonymousOrigin = strings.TrimRight(c.AnonymousOrigin, "/")
	own.Origins, own.Pages = c.Origins, pages(web.Options{Dev: c.Dev, Private: offered})
	own.Limits, own.InService, own.Refused, own.Chaos = c.limits(), c.Limits.InService, m.refuse, c.chaos()
	public, err := httpapi.Public(service, own)
	return [2]http.Handler{public, operator}, err
}

// Open opens the service over its data folder, without listeners.
func Open(ctx context.Context, c Config, log *slog.Logger, o session.Observer) (*session.Service, session.Store, error) {
	service, _, store, err := c.open(ctx, log, o, nil)
	return service, store, err
}

func (c *Config) open(ctx context.Context, log *slog.Logger, o session.Observer, changed func()) (*session.Service, *anonymous.Host, session.Store, error) {
	master, err := c.masterKey()
	if err != nil {
		return nil, nil, nil, err
	}
	epoch, err := c.restoreEpoch()
	if err != nil {
		return nil, nil, nil, err
	}
	verifier, err := c.verifier()
	if err != nil {
		return nil, nil, nil, err
	}
	config := session.Config{
		Verifier: verifier, MasterKey: master, RestoreEpoch: epoch,
		Issuer: c.publicURL(), Algorithm: c.Algorithm, Policies: c.policies(),
		Now: c.Now, Log: log, Observer: o, Changed: changed,
	}
	host, err := c.host(master, epoch)
	if err != nil {
		return nil, nil, nil, err
	}
	if host != nil {
		config.Group = host
	}
	if config.Store, err = sqlite.Open(ctx, c.database()); err != nil {
		return nil, nil, nil, err
	}
	service, err := session.NewService(ctx, config)
	if err != nil {
		return nil, nil, nil, errors.Join(err, config.Store.Close())
	}
	if err := c.eraseAgain(ctx, service, log); err != nil {
		return nil, nil, nil, errors.Join(err, config.Store.Close())
	}
	return service, host, config.Store, nil
}

// verifier serves the chains of this build for the configured origin.
func (c *Config) verifier() (session.Verifier, error) {
	if c.Verifier != nil {
		return c.Verifier, nil
	}
	roots, err := c.rootKeys()
	if err != nil {
		return nil, err
	}
	return wallet.New(c.texts(), icp.Chain(roots...), ethereum.Chain(), solana.Chain()), nil
}

// texts is what sign-in texts say of this service.
func (c *Config) texts() wallet.Config {
	u, _ := url.Parse(c.publicURL()) // checked before
	return wallet.Config{Domain: u.Host, URI: c.publicURL() + api.BasePath + "/sessions", Service: c.Service}
}

func newHTTPServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes - headerSlack,
		DisableGeneralOptionsHandler: true, // "OPTIONS *" is answered by the routes' rules like all else
		ErrorLog:                     slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
