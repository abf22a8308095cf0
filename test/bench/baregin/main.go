// Command baregin is what the serving of images is measured against: a gin handler that
// writes bytes from memory, and answers 304 to who holds them.
//
//	baregin FOLDER    serves its files, under their names, on a free port of 127.0.0.1
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
)

func main() {
	if err := serve(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type picture struct {
	content []byte
	etag    string
}

func serve(dir string) error {
	pictures, err := read(dir)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://" + listener.Addr().String())
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.GET("/:name", func(c *gin.Context) { answer(c, pictures[c.Param("name")]) })
	server := &http.Server{Handler: engine, ReadHeaderTimeout: time.Minute}
	return server.Serve(listener)
}

func answer(c *gin.Context, p picture) {
	c.Header("ETag", p.etag)
	c.Header("Cache-Control", "no-cache")
	if c.GetHeader("If-None-Match") == p.etag {
		c.Status(http.StatusNotModified)
		return
	}
	c.Header("Content-Length", strconv.Itoa(len(p.content)))
	c.Data(http.StatusOK, "image/jpeg", p.content)
}

func read(dir string) (map[string]picture, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	pictures := map[string]picture{}
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		pictures[e.Name()] = picture{content, strconv.Quote(e.Name())}
	}
	return pictures, nil
}
