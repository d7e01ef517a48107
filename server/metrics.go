package server

import (
	"maps"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/httpapi"
)

// metrics are what an operator counts. Labels are routes, statuses, kinds and
// reasons: never an id, a name or an address.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	events   *prometheus.CounterVec
	alarms   *prometheus.CounterVec
	limited  *prometheus.CounterVec
	counters atomic.Pointer[map[answered]prometheus.Counter] // of requests; a map never changes
	adding   sync.Mutex
}

// answered is what one of the requests' counters counts.
type answered struct {
	route  string
	status int
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sessiond_requests_total", Help: "Requests answered, by route and status.",
		}, []string{"route", "status"}),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sessiond_events_total", Help: "Session events committed, by kind and reason.",
		}, []string{"kind", "reason"}),
		alarms: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sessiond_alarms_total", Help: "What an operator must look at, by name.",
		}, []string{"name"}),
		limited: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sessiond_limited_total", Help: "Requests refused by a limit: address, session, professional, ending, sockets, sockets_session, sockets_address, or overload.",
		}, []string{"policy"}),
	}
	m.counters.Store(&map[answered]prometheus.Counter{})
	m.registry.MustRegister(m.requests, m.events, m.alarms, m.limited,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) watch(s *session.Service) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "sessiond_sessions_in_memory", Help: "Sessions in the live table.",
	}, func() float64 { return float64(s.LiveCount()) }), prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "sessiond_sightings_unwritten", Help: "Sessions of which something was seen that is not in the store yet.",
	}, func() float64 { return float64(s.UnwrittenCount()) }))
}

func (m *metrics) watchSockets(s *httpapi.Sockets) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "sessiond_sockets_open", Help: "Sockets that are open.",
	}, func() float64 { return float64(s.Open()) }))
}

// Alarm implements session.Observer.
func (m *metrics) Alarm(name string) { m.alarms.WithLabelValues(name).Inc() }

// Event implements session.Observer.
func (m *metrics) Event(e session.Event) {
	m.events.WithLabelValues(string(e.Kind), string(e.Reason)).Inc()
}

// refuse counts a request that a limit refused.
func (m *metrics) refuse(policy string) { m.limited.WithLabelValues(policy).Inc() }

func (m *metrics) count(route string, status int) {
	c, ok := (*m.counters.Load())[answered{route, status}]
	if !ok {
		c = m.counter(route, status)
	}
	c.Inc()
}

// counter adds a counter of requests.
func (m *metrics) counter(route string, status int) prometheus.Counter {
	m.adding.Lock()
	defer m.adding.Unlock()
	all := maps.Clone(*m.counters.Load())
	c := m.requests.WithLabelValues(route, strconv.Itoa(status))
	all[answered{route, status}] = c
	m.counters.Store(&all)
	return c
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
