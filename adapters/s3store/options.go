package s3store

import (
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/s3utils"

	"gatefold/domain/artwork"
)

// Options say where the bucket is and who asks. What is wrong with them is said
// with the name of the variable that they come from.
type Options struct {
	Endpoint string // http:// or https://, and HOST or HOST:PORT
	Bucket   string // which exists
	Region   string // of the bucket
	// AccessKey and SecretKey are those of a user who may read, write, list and
	// delete in the bucket. Both empty: what the environment gives, as the
	// variables, files and instance roles of AWS.
	AccessKey string
	SecretKey string
	Prefix    string // of every key, such as "gatefold/"; may be empty
	Style     Style  // empty: StyleAuto
	// Through, if it is not nil, returns what all requests go through in place of the
	// transport.
	Through func(transport http.RoundTripper) http.RoundTripper
}

// Style is where in a URL the bucket stands.
type Style string

// The styles.
const (
	StyleAuto Style = "auto" // what the endpoint is known for, else StylePath
	StylePath Style = "path" // http://endpoint/bucket/key
	StyleHost Style = "host" // http://bucket.endpoint/key
)

// Check returns an InvalidInput error, which names each variable that is wrong,
// unless the options can be understood.
func (o Options) Check() error {
	var wrong []string
	fail := func(text string) { wrong = append(wrong, text) }
	if _, err := o.endpoint(); err != nil {
		fail("S3_ENDPOINT: must be http://HOST:PORT or https://HOST:PORT, without a path")
	}
	if o.Bucket == "" {
		fail("S3_BUCKET: names no bucket")
	} else if err := s3utils.CheckValidBucketName(o.Bucket); err != nil {
		fail("S3_BUCKET: " + err.Error())
	}
	if o.Region == "" {
		fail("S3_REGION: names no region")
	}
	if (o.AccessKey == "") != (o.SecretKey == "") {
		fail("S3_ACCESS_KEY: goes with S3_SECRET_KEY, and the reverse")
	}
	if prefix := strings.TrimSuffix(o.Prefix, "/"); prefix == "." || prefix != "" && !fs.ValidPath(prefix) || prefix == "" && o.Prefix != "" {
		fail("S3_PREFIX: must be a path such as gatefold/, without a leading slash")
	}
	if len(wrong) == 0 {
		return nil
	}
	return artwork.Errorf(artwork.InvalidInput, "%s", strings.Join(wrong, "\n  "))
}

// endpoint returns the URL. Its error does not quote it, as it may hold a secret.
func (o Options) endpoint() (*url.URL, error) {
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, artwork.Errorf(artwork.InvalidInput, "not a URL of a server")
	}
	return u, nil
}

// prefix returns what every key begins with: nothing, or what ends in a slash.
func (o Options) prefix() string {
	if o.Prefix == "" {
		return ""
	}
	return strings.TrimSuffix(o.Prefix, "/") + "/"
}

// through returns what requests go through.
func (o Options) through(transport http.RoundTripper) http.RoundTripper {
	if o.Through == nil {
		return transport
	}
	return o.Through(transport)
}

// attempts is how often a request is sent that fails for a reason that may pass.
const attempts = 3

func (o Options) client(l limits) (*minio.Core, error) {
	endpoint, err := o.endpoint()
	if err != nil {
		return nil, err
	}
	return minio.NewCore(endpoint.Host, &minio.Options{
		Creds:        o.credentials(l),
		Secure:       endpoint.Scheme == "https",
		Transport:    o.through(l.transport()),
		Region:       o.Region,
		BucketLookup: lookups[o.Style],
		MaxRetries:   attempts,
	})
}

var lookups = map[Style]minio.BucketLookupType{
	"": minio.BucketLookupAuto, StyleAuto: minio.BucketLookupAuto, StylePath: minio.BucketLookupPath, StyleHost: minio.BucketLookupDNS,
}

func (o Options) credentials(l limits) *credentials.Credentials {
	if o.AccessKey != "" {
		return credentials.NewStaticV4(o.AccessKey, o.SecretKey, "")
	}
	return credentials.NewChainCredentials([]credentials.Provider{
		&credentials.EnvAWS{},
		&credentials.FileAWSCredentials{},
		&credentials.IAM{Client: &http.Client{Timeout: l.dial}},
	})
}

// limits bound how long is waited for what.
type limits struct {
	dial   time.Duration // for a connection, and again for TLS
	stall  time.Duration // for the next byte, in either direction
	answer time.Duration // for an answer to begin, repetitions included
	put    time.Duration // for a whole upload, or a copy that the server makes
}

// usual are the limits of a store that people wait for.
var usual = limits{dial: 3 * time.Second, stall: 10 * time.Second, answer: 10 * time.Second, put: 2 * time.Minute}

// idlePerHost is how many connections are kept that nobody uses just now.
const idlePerHost = 64

// transport returns a transport on which nothing waits forever. It uses no
// compression: the length of what is stored has to be that of what is read.
func (l limits) transport() *http.Transport {
	dialer := &net.Dialer{Timeout: l.dial}
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         guarded(dialer.DialContext, l.stall),
		TLSHandshakeTimeout: l.dial,
		// Before a connection that nobody uses counts as stalled.
		IdleConnTimeout:     l.stall * 4 / 5,
		MaxIdleConnsPerHost: idlePerHost,
		DisableCompression:  true,
	}
}
