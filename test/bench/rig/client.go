package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"time"
)

// client keeps as many connections as there are callers.
var client = &http.Client{Timeout: 5 * time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}}

// Do makes a request and returns the answer, which has to be a success. It may be called
// concurrently.
func (s *Server) Do(ctx context.Context, method, path, contentType string, body []byte) (content []byte, header http.Header, err error) {
	req, err := http.NewRequestWithContext(ctx, method, s.Base+path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	content, err = io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= http.StatusMultipleChoices {
		err = fmt.Errorf("%s: %s %s: %s: %.500s", s.Name, method, path, resp.Status, content)
	}
	return content, resp.Header, err
}

// Get is Do for a GET, which ends the benchmark if it fails.
func (s *Server) Get(path string) (content []byte, header http.Header) {
	content, header, err := s.Do(s.bench.ctx, http.MethodGet, path, "", nil)
	if err != nil {
		s.bench.Fatalf("%v", err)
	}
	return content, header
}

// Await makes a GET until it succeeds, for as long as a quarter of an hour: what it asks for
// may not be ready yet.
func (s *Server) Await(path string) {
	for limit := time.Now().Add(15 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		_, _, err := s.Do(s.bench.ctx, http.MethodGet, path, "", nil)
		if err == nil {
			return
		}
		if s.bench.ctx.Err() != nil || time.Now().After(limit) {
			s.bench.Fatalf("%v", err)
		}
	}
}

// GetJSON reads an answer into a value.
func (s *Server) GetJSON(path string, value any) {
	content, _ := s.Get(path)
	if err := json.Unmarshal(content, value); err != nil {
		s.bench.Fatalf("%s: GET %s: %v", s.Name, path, err)
	}
}

// ask makes a GET as who holds the answer with that ETag, if there is one.
func (s *Server) ask(path, etag string) (status int, content []byte, header http.Header) {
	req, err := http.NewRequestWithContext(s.bench.ctx, http.MethodGet, s.Base+path, nil)
	if err != nil {
		s.bench.Fatalf("%v", err)
	}
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	resp, err := client.Do(req)
	if err != nil {
		s.bench.Fatalf("%v", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if content, err = io.ReadAll(resp.Body); err != nil {
		s.bench.Fatalf("%v", err)
	}
	return resp.StatusCode, content, resp.Header
}

// PutArtist puts an artist into the catalogue of a Gatefold.
func (s *Server) PutArtist(ctx context.Context, id, name string) error {
	_, _, err := s.Do(ctx, http.MethodPut, "/api/artists/"+id, "application/json", fmt.Appendf(nil, `{"name": %q}`, name))
	return err
}

// PutAlbum puts an album into the catalogue of a Gatefold.
func (s *Server) PutAlbum(ctx context.Context, id, name, artist string) error {
	_, _, err := s.Do(ctx, http.MethodPut, "/api/albums/"+id, "application/json", fmt.Appendf(nil, `{"name": %q, "artistId": %q}`, name, artist))
	return err
}

// Upload brings a cover to a Gatefold without putting it in force, and returns its ID.
func (s *Server) Upload(ctx context.Context, album string, content []byte) (id string, err error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", "cover.jpg")
	if err != nil {
		return "", err
	}
	if _, err := part.Write(content); err != nil {
		return "", err
	}
	if err := form.Close(); err != nil {
		return "", err
	}
	answer, _, err := s.Do(ctx, http.MethodPost, customCovers+album+"/upload", form.FormDataContentType(), body.Bytes())
	if err != nil {
		return "", err
	}
	var uploaded struct {
		CustomCoverID string `json:"customCoverId"`
	}
	err = json.Unmarshal(answer, &uploaded)
	return uploaded.CustomCoverID, err
}

// Apply puts a cover in force that was uploaded to a Gatefold.
func (s *Server) Apply(ctx context.Context, album, cover string) error {
	_, _, err := s.Do(ctx, http.MethodPost, customCovers+album+"/apply/"+cover, "application/json", nil)
	return err
}

const customCovers = "/api/admin/metadata/album/custom-covers/"

// CoverOf returns the path of an album's cover.
func CoverOf(album string) string { return "/api/images/albums/" + album + "/cover" }
