package bootstrap

import (
	"net/netip"
	"time"

	"gatefold/adapters/rest"
	"gatefold/application/limitrequests"
	"gatefold/application/signimages"
)

// httpVariables are the settings of who may ask over HTTP, and how often.
type httpVariables struct {
	TrustedProxies    string `env:"TRUSTED_PROXIES"`
	RateLimitRequests string `env:"RATE_LIMIT_REQUESTS" envDefault:"300"`
	RateLimitUploads  string `env:"RATE_LIMIT_UPLOADS" envDefault:"300"`
	RateLimitLogins   string `env:"RATE_LIMIT_LOGINS" envDefault:"5"`
	RateLimitTokens   string `env:"RATE_LIMIT_TOKENS" envDefault:"0"`
	UploadsMB         string `env:"UPLOADS_MB" envDefault:"256"`
	PublicImages      string `env:"PUBLIC_IMAGES" envDefault:"true"`
	CORSOrigins       string `env:"CORS_ORIGINS"`
	HSTSMaxAge        string `env:"HSTS_MAX_AGE" envDefault:"0"`
}

// HTTP says who may ask over HTTP, and how often.
type HTTP struct {
	TrustedProxies []netip.Prefix // whose word about a client's address is taken
	Limits         limitrequests.Limits
	UploadsMB      int // that are taken in at the same time, all together
	PublicImages   bool
	CORSOrigins    []string      // whose pages may ask; none: only our own
	HSTSMaxAge     time.Duration // 0: browsers are told nothing
}

// mostRequests is far above what anybody can ask in a minute.
const mostRequests = 1_000_000

func (c *checker) http(v httpVariables) HTTP {
	return HTTP{
		TrustedProxies: c.networks("TRUSTED_PROXIES", v.TrustedProxies),
		Limits: limitrequests.Limits{
			Requests: c.number("RATE_LIMIT_REQUESTS", v.RateLimitRequests, 0, mostRequests),
			Uploads:  c.number("RATE_LIMIT_UPLOADS", v.RateLimitUploads, 0, mostRequests),
			Logins:   c.number("RATE_LIMIT_LOGINS", v.RateLimitLogins, 0, mostRequests),
			Tokens:   c.number("RATE_LIMIT_TOKENS", v.RateLimitTokens, 0, mostRequests),
		},
		UploadsMB:    c.number("UPLOADS_MB", v.UploadsMB, rest.MinUploadRoom>>20+1, 1<<20),
		PublicImages: c.oneOf("PUBLIC_IMAGES", v.PublicImages, "true", "false") == "true",
		CORSOrigins:  c.origins("CORS_ORIGINS", v.CORSOrigins),
		HSTSMaxAge:   c.days("HSTS_MAX_AGE", v.HSTSMaxAge, 730),
	}
}

func (c *checker) origins(variable, value string) []string {
	origins := listed(value)
	if len(origins) == 0 {
		return nil
	}
	if _, err := rest.NewCORS(origins); err != nil {
		c.fail(variable, "%v", err)
	}
	return origins
}

// options returns what the router does by the configuration.
func (h HTTP) options(limiter *limitrequests.Limiter, signer *signimages.Signer) ([]rest.Option, error) {
	options := []rest.Option{rest.WithLimits(limiter), rest.WithUploadRoom(int64(h.UploadsMB) << 20)}
	if !h.PublicImages {
		options = append(options, rest.WithPrivateImages(signer))
	}
	if h.HSTSMaxAge > 0 {
		options = append(options, rest.WithStrictTransport(h.HSTSMaxAge))
	}
	if len(h.CORSOrigins) == 0 {
		return options, nil
	}
	allowed, err := rest.NewCORS(h.CORSOrigins)
	if err != nil {
		return nil, err
	}
	return append(options, rest.WithCORS(allowed)), nil
}
