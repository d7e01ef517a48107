package server

import (
	"net/http"
	"strconv"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	session "github.com/mentalverse/session"
)

// metrics are what an operator counts. Labels are routes, statuses, kinds and
// reasons: never an id, a name or an address.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	events   *prometheus.CounterVec
	alarms   *prometheus.CounterVec
	limited  *prometheus.CounterVec
	counters sync.Map // of requests, by answered
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
			Name: "sessiond_limited_total", Help: "Requests refused by a limit: address, session, professional, ending, or overload.",
		}, []string{"policy"}),
	}
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

// Alarm implements session.Observer.
func (m *metrics) Alarm(name string) { m.alarms.WithLabelValues(name).Inc() }

// Event implements session.Observer.
func (m *metrics) Event(e session.Event) {
	m.events.WithLabelValues(string(e.Kind), string(e.Reason)).Inc()
}

// refuse counts a request that a limit refused.
func (m *metrics) refuse(policy string) { m.limited.WithLabelValues(policy).Inc() }

func (m *metrics) count(route string, status int) {
	key := answered{route, status}
	c, ok := m.counters.Load(key)
	if !ok {
		c, _ = m.counters.LoadOrStore(key, m.requests.WithLabelValues(route, strconv.Itoa(status)))
	}
	c.(prometheus.Counter).Inc()
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
