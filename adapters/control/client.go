package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"

	"gatefold/application/accesstoken"
	"gatefold/application/followsettings"
	"gatefold/application/importlibrary"
	"gatefold/application/managecache"
	"gatefold/domain/artwork"
	"gatefold/domain/deployment"
)

// Client has verbs carried out by a running server.
type Client struct{ http *http.Client }

var _ Verbs = (*Client)(nil)

// Dial returns a client of the server that runs on the data directory. NotFound:
// none does.
func Dial(ctx context.Context, dataDir string) (*Client, error) {
	path := filepath.Join(dataDir, SocketName)
	c := &Client{&http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		},
	}}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url(pingPath), nil)
	if err != nil {
		return nil, artwork.Wrap(artwork.Internal, "control.Dial", err)
	}
	resp, err := c.http.Do(req)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, artwork.Errorf(artwork.NotFound, "no server is running on %s", dataDir)
	}
	if err != nil {
		return nil, artwork.Wrap(artwork.Unavailable, "control.Dial", err)
	}
	return c, resp.Body.Close()
}

// CreateToken implements TokenCreator.
func (c *Client) CreateToken(ctx context.Context, in accesstoken.CreateIn) (string, error) {
	return call[string](ctx, c, tokenPath, in)
}

// CacheStats implements CacheManager.
func (c *Client) CacheStats(ctx context.Context) (managecache.Stats, error) {
	return call[managecache.Stats](ctx, c, statsPath, nothing{})
}

// InvalidateCache implements CacheManager.
func (c *Client) InvalidateCache(ctx context.Context, subject artwork.Subject) error {
	_, err := call[nothing](ctx, c, invalidatePath, subject)
	return err
}

// FlushCache implements CacheManager.
func (c *Client) FlushCache(ctx context.Context) (int, error) {
	return call[int](ctx, c, flushPath, nothing{})
}

// CacheSettings implements CacheManager.
func (c *Client) CacheSettings(ctx context.Context) (deployment.State, error) {
	return call[deployment.State](ctx, c, settingsPath, nothing{})
}

// SwitchCache implements CacheManager.
func (c *Client) SwitchCache(ctx context.Context, in followsettings.SwitchIn) (deployment.State, error) {
	return call[deployment.State](ctx, c, switchPath, in)
}

// call has a verb carried out and returns what it returned.
func call[Out any](ctx context.Context, c *Client, path string, in any) (out Out, err error) {
	body, err := c.post(ctx, path, in)
	if err != nil {
		return out, err
	}
	defer func() { _ = body.Close() }()
	var answer reply[Out]
	if err := json.NewDecoder(body).Decode(&answer); err != nil {
		return out, brokenOff(err)
	}
	return answer.Out, answer.Failure.err()
}

// Import implements Importer.
func (c *Client) Import(ctx context.Context, dir string, observer importlibrary.Observer) (importlibrary.Summary, error) {
	body, err := c.post(ctx, importPath, importIn{dir})
	if err != nil {
		return importlibrary.Summary{}, err
	}
	defer func() { _ = body.Close() }()
	for lines := json.NewDecoder(body); ; {
		var e event
		if err := lines.Decode(&e); err != nil {
			return importlibrary.Summary{}, brokenOff(err)
		}
		switch {
		case e.Summary != nil:
			return *e.Summary, e.Failure.err()
		case e.Skipped != nil:
			observer.Skipped(*e.Skipped)
		case e.Done != nil:
			observer.Progress(*e.Done, e.Total)
		}
	}
}

func (c *Client) post(ctx context.Context, path string, in any) (io.ReadCloser, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, artwork.Wrap(artwork.Internal, "control.post", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url(path), bytes.NewReader(body))
	if err != nil {
		return nil, artwork.Wrap(artwork.Internal, "control.post", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, brokenOff(err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, errors.Join(artwork.Errorf(artwork.Unavailable, "the running server answers %s: is it another release?", resp.Status), resp.Body.Close())
	}
	return resp.Body, nil
}

// url names a path on the socket; the host means nothing.
func url(path string) string { return "http://gatefold" + path }

func brokenOff(err error) error {
	return &artwork.Error{Kind: artwork.Unavailable, Op: "control", Msg: "the running server broke off", Err: err}
}

// err turns a failure back into the error it was.
func (f *failure) err() error {
	if f == nil {
		return nil
	}
	return artwork.Errorf(artwork.ParseErrorKind(f.Kind), "%s", f.Message)
}
