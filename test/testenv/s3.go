package testenv

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"golang.org/x/sys/unix"
)

const (
	s3AccessKey = "gatefold"
	s3Region    = "eu-test-1" // none that a client takes for granted
	// s3StartTries is how often a new server is started on another port: another
	// process may take one between finding it and using it.
	s3StartTries = 5
)

var (
	sharedS3 = sync.OnceValues(newS3)
	buckets  atomic.Int64
)

// S3Bucket is a bucket and what it takes to use it.
type S3Bucket struct {
	Endpoint  string // a URL
	Region    string
	Name      string
	AccessKey string
	SecretKey string
	// Dir is where the server keeps the objects: each in a file named by its key.
	Dir string
}

// Environ returns the settings by which Gatefold keeps its images in the bucket.
func (b S3Bucket) Environ() []string {
	return []string{
		"STORAGE=s3", "S3_ENDPOINT=" + b.Endpoint, "S3_REGION=" + b.Region, "S3_BUCKET=" + b.Name,
		"S3_ACCESS_KEY=" + b.AccessKey, "S3_SECRET_KEY=" + b.SecretKey,
	}
}

// S3 returns an empty bucket of the caller's own, on an S3 server that is started
// once per test process.
func S3(tb TB) S3Bucket {
	tb.Helper()
	server, err := sharedS3()
	if err != nil {
		fatalf(tb, "starting versitygw: %v", err)
	}
	return server.Bucket(tb)
}

// S3Server starts an S3 server that belongs to the caller alone, who may stop and
// pause it. It ends with the test.
func S3Server(tb TB) *S3Process {
	tb.Helper()
	server, err := newS3()
	if err != nil {
		fatalf(tb, "starting versitygw: %v", err)
	}
	tb.Cleanup(server.end)
	return server
}

// S3Process is a private S3 server on 127.0.0.1. What it holds survives Stop. The
// methods are for one goroutine.
type S3Process struct {
	Addr string // host:port, the same after a restart

	secret string // known to nobody else, so that no other server is taken for this one
	dir    string // holds the log and a folder with a folder for each bucket
	cmd    *exec.Cmd
}

func newS3() (*S3Process, error) {
	dir, err := os.MkdirTemp("", "gatefold-s3-")
	if err != nil {
		return nil, err
	}
	onExit(func() { _ = os.RemoveAll(dir) })
	p := &S3Process{dir: dir, secret: rand.Text()}
	if err := os.Mkdir(p.root(), 0o700); err != nil {
		return nil, err
	}
	for range s3StartTries {
		var port int
		if port, err = freePort(); err != nil {
			return nil, err
		}
		p.Addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		if err = p.launch(); err == nil {
			return p, nil
		}
	}
	return nil, err
}

// Bucket returns a new, empty bucket.
func (p *S3Process) Bucket(tb TB) S3Bucket {
	tb.Helper()
	name := fmt.Sprintf("bucket-%d", buckets.Add(1))
	client, err := p.client()
	if err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		err = client.MakeBucket(ctx, name, minio.MakeBucketOptions{Region: s3Region})
	}
	if err != nil {
		fatalf(tb, "creating a bucket: %v", err)
	}
	return S3Bucket{
		Endpoint: "http://" + p.Addr, Region: s3Region, Name: name, AccessKey: s3AccessKey, SecretKey: p.secret,
		Dir: filepath.Join(p.root(), name),
	}
}

// Start starts the server again, on the same address, with what it held.
func (p *S3Process) Start(tb TB) {
	tb.Helper()
	if err := p.launch(); err != nil {
		fatalf(tb, "restarting versitygw: %v", err)
	}
}

// Stop ends the server at once, as a crash would.
func (p *S3Process) Stop() { stop(p.cmd, syscall.SIGKILL) }

// Pause stops the server from answering while its connections stay open, and new
// ones are accepted.
func (p *S3Process) Pause() { pause(p.cmd) }

// Resume ends a Pause.
func (p *S3Process) Resume() { resume(p.cmd) }

func (p *S3Process) end() {
	p.Stop()
	_ = os.RemoveAll(p.dir)
}

func (p *S3Process) root() string { return filepath.Join(p.dir, "buckets") }

func (p *S3Process) client() (*minio.Client, error) {
	return minio.New(p.Addr, &minio.Options{
		Creds: credentials.NewStaticV4(s3AccessKey, p.secret, ""), Region: s3Region, MaxRetries: 1,
	})
}

func (p *S3Process) launch() error {
	binary, err := installed("versitygw")
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(p.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	backend, err := p.backend()
	if err != nil {
		return err
	}
	p.cmd = exec.Command(binary, append([]string{"--port", p.Addr, "--region", s3Region, "--keep-alive", "--quiet"}, backend...)...)
	p.cmd.Env = []string{"ROOT_ACCESS_KEY_ID=" + s3AccessKey, "ROOT_SECRET_ACCESS_KEY=" + p.secret}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := start(p.cmd); err != nil {
		return err
	}
	return p.awaitReady()
}

// backend returns the arguments that say where the objects are. What is known of
// them is kept in their files' attributes or, on a file system without, in files
// of its own.
func (p *S3Process) backend() ([]string, error) {
	if unix.Setxattr(p.root(), "user.gatefold", []byte("test"), 0) == nil {
		return []string{"posix", p.root()}, nil
	}
	metadata := filepath.Join(p.dir, "metadata")
	return []string{"posix", "--sidecar", metadata, p.root()}, os.MkdirAll(metadata, 0o700)
}

func (p *S3Process) awaitReady() error {
	client, err := p.client()
	if err != nil {
		return err
	}
	limit := time.After(startLimit)
	for {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		_, err = client.ListBuckets(ctx)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-done(p.cmd):
			return fmt.Errorf("versitygw on %s ended while starting: %s", p.Addr, p.log())
		case <-limit:
			p.Stop()
			return fmt.Errorf("versitygw on %s was not ready within %s: %w\n%s", p.Addr, startLimit, err, p.log())
		case <-time.After(pollInterval):
		}
	}
}

func (p *S3Process) log() string {
	log, _ := os.ReadFile(filepath.Join(p.dir, "log")) // what cannot be read is not told
	return string(log)
}

// installed returns the program as scripts/install-test-tools.sh puts it beside
// the module, or else as it is found in PATH.
func installed(name string) (string, error) {
	if root, ok := moduleRoot(); ok {
		path := filepath.Join(root, ".tools", "bin", name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s is not installed: run scripts/install-test-tools.sh (%w)", name, err)
	}
	return path, nil
}

// moduleRoot returns the nearest directory above the test that has a go.mod.
func moduleRoot() (string, bool) {
	dir, err := os.Getwd()
	if err != nil {
		return "", false
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, true
		}
		if dir == filepath.Dir(dir) {
			return "", false
		}
		dir = filepath.Dir(dir)
	}
}
