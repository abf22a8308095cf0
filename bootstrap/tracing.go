package bootstrap

import (
	"crypto/x509"
	"math"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"gatefold/adapters/oteltraces"
)

// tracingVariables are those of OpenTelemetry's
// (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/) that
// say where traces are sent, and which.
type tracingVariables struct {
	Disabled       string `env:"OTEL_SDK_DISABLED" envDefault:"false"`
	Endpoint       string `env:"OTEL_EXPORTER_OTLP_ENDPOINT"`
	TracesEndpoint string `env:"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"`
	Protocol       string `env:"OTEL_EXPORTER_OTLP_PROTOCOL" envDefault:"http/protobuf"`
	Headers        string `env:"OTEL_EXPORTER_OTLP_HEADERS"`
	Timeout        string `env:"OTEL_EXPORTER_OTLP_TIMEOUT" envDefault:"10000"`
	Compression    string `env:"OTEL_EXPORTER_OTLP_COMPRESSION" envDefault:"none"`
	Certificate    string `env:"OTEL_EXPORTER_OTLP_CERTIFICATE"`
	Sampler        string `env:"OTEL_TRACES_SAMPLER" envDefault:"parentbased_always_on"`
	SamplerArg     string `env:"OTEL_TRACES_SAMPLER_ARG" envDefault:"1.0"`
	Propagators    string `env:"OTEL_PROPAGATORS" envDefault:"tracecontext"`
	ServiceName    string `env:"OTEL_SERVICE_NAME"`
	Resource       string `env:"OTEL_RESOURCE_ATTRIBUTES"`
}

const (
	otelPrefix = "OTEL_"
	// tracesPath is where below a collector's endpoint it takes traces.
	tracesPath = "v1/traces"
	// serviceName is what the program is called unless the configuration says otherwise.
	serviceName = "gatefold"
)

// unreadTracing returns the variables of OpenTelemetry's that are set and that nothing
// reads.
func unreadTracing(set map[string]string) ([]string, error) {
	read, err := env.GetFieldParams(&tracingVariables{})
	if err != nil {
		return nil, err
	}
	var unread []string
	for name := range set {
		if strings.HasPrefix(name, otelPrefix) && !slices.ContainsFunc(read, func(p env.FieldParams) bool { return p.Key == name }) {
			unread = append(unread, name)
		}
	}
	slices.Sort(unread)
	return unread, nil
}

// traces reads where traces are sent. Its Endpoint is empty if nothing is to be traced;
// what is wrong is told all the same, but for what was disabled as a whole.
func (c *checker) traces(v tracingVariables, instance string) oteltraces.Config {
	if c.oneOf("OTEL_SDK_DISABLED", v.Disabled, "true", "false") == "true" {
		return oteltraces.Config{}
	}
	c.oneOf("OTEL_EXPORTER_OTLP_PROTOCOL", v.Protocol, "http/protobuf") // gRPC would double what the program depends on
	attributes := c.pairs("OTEL_RESOURCE_ATTRIBUTES", v.Resource)
	cfg := oteltraces.Config{
		Endpoint:   c.collector(v),
		Headers:    c.pairs("OTEL_EXPORTER_OTLP_HEADERS", v.Headers),
		Timeout:    time.Duration(c.number("OTEL_EXPORTER_OTLP_TIMEOUT", v.Timeout, 1, 60_000)) * time.Millisecond,
		Compress:   c.oneOf("OTEL_EXPORTER_OTLP_COMPRESSION", v.Compression, "none", "gzip") == "gzip",
		CAs:        c.authorities("OTEL_EXPORTER_OTLP_CERTIFICATE", v.Certificate),
		Sampler:    c.sampler(v),
		Parents:    c.propagators("OTEL_PROPAGATORS", v.Propagators),
		Service:    serviceName,
		Instance:   instance,
		Attributes: attributes,
	}
	if named := attributes["service.name"]; named != "" {
		cfg.Service = named
	}
	if v.ServiceName != "" {
		cfg.Service = v.ServiceName
	}
	return cfg
}

// collector returns the URL that takes traces: the one that is named for them, or the one
// below the collector's.
func (c *checker) collector(v tracingVariables) string {
	if v.TracesEndpoint != "" {
		u := c.httpURL("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", v.TracesEndpoint)
		return u.String()
	}
	if v.Endpoint == "" {
		return ""
	}
	return c.httpURL("OTEL_EXPORTER_OTLP_ENDPOINT", v.Endpoint).JoinPath(tracesPath).String()
}

// httpURL reads a URL. What is wrong is told without the URL, which may have a secret in it.
func (c *checker) httpURL(variable, value string) *url.URL {
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		c.fail(variable, "it is not a URL such as http://collector:4318")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		c.fail(variable, "it has more than a host and a path: credentials belong into OTEL_EXPORTER_OTLP_HEADERS")
	default:
		return u
	}
	return &url.URL{}
}

// pairs reads NAME=VALUE,NAME=VALUE, with what is not plain escaped as in URLs. What is
// wrong is told without the values.
func (c *checker) pairs(variable, value string) map[string]string {
	pairs := map[string]string{}
	for part := range strings.SplitSeq(value, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, text, ok := strings.Cut(part, "=")
		name = strings.TrimSpace(name)
		decoded, err := url.PathUnescape(strings.TrimSpace(text))
		if !ok || name == "" || strings.ContainsAny(name, " \t:\"") || err != nil || strings.ContainsFunc(decoded, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			c.fail(variable, "it is not NAME=VALUE, several separated by commas, with what is not plain escaped as in URLs (%%20)")
			return nil
		}
		pairs[name] = decoded
	}
	return pairs
}

func (c *checker) authorities(variable, path string) *x509.CertPool {
	if path == "" {
		return nil
	}
	certificates, err := os.ReadFile(path)
	if err != nil {
		c.fail(variable, "%s cannot be read", path)
		return nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(certificates) {
		c.fail(variable, "there is no PEM certificate in %s", path)
	}
	return pool
}

func (c *checker) sampler(v tracingVariables) oteltraces.Sampler {
	const parentBased = "parentbased_"
	name := c.oneOf("OTEL_TRACES_SAMPLER", v.Sampler, "always_on", "always_off", "traceidratio",
		parentBased+"always_on", parentBased+"always_off", parentBased+"traceidratio")
	ratio, err := strconv.ParseFloat(v.SamplerArg, 64)
	if err != nil || math.IsNaN(ratio) || ratio < 0 || ratio > 1 {
		c.fail("OTEL_TRACES_SAMPLER_ARG", "%q is not a share from 0 to 1, such as 0.01", v.SamplerArg)
	}
	root, follows := strings.CutPrefix(name, parentBased)
	switch root {
	case "always_on":
		ratio = 1
	case "always_off":
		ratio = 0
	}
	return oteltraces.Sampler{Ratio: ratio, ParentBased: follows}
}

// propagators reports whether the header traceparent is read. Baggage may be named and has
// no effect: nothing is sent on.
func (c *checker) propagators(variable, value string) bool {
	follows := false
	for _, name := range listed(value) {
		follows = c.oneOf(variable, name, "tracecontext", "baggage", "none") == "tracecontext" || follows
	}
	return follows
}
