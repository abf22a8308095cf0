package testenv

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// NginxProcess is a private nginx on 127.0.0.1.
type NginxProcess struct {
	URL string // http://host:port
	PID int    // of the process whose children serve

	cmd *exec.Cmd
}

// Nginx starts an nginx, with as many workers as there are processors, that serves the
// files of a folder as JPEGs under their names. It ends with the test.
func Nginx(tb TB, root string) *NginxProcess {
	tb.Helper()
	p, err := newNginx(root)
	if err != nil {
		fatalf(tb, "starting nginx: %v", err)
	}
	tb.Cleanup(func() { stop(p.cmd, syscall.SIGQUIT) })
	return p
}

// The configuration is what its manual recommends for files: sendfile, and descriptors
// that are kept. Nothing is written to where the machine's own nginx writes.
const nginxConfig = `daemon off;
pid %[1]s/pid;
error_log %[1]s/log;
worker_processes auto;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 100000000;
  open_file_cache max=10000 inactive=60s;
  default_type image/jpeg;
  client_body_temp_path %[1]s/body;
  proxy_temp_path %[1]s/proxy;
  fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi;
  scgi_temp_path %[1]s/scgi;
  server {
    listen 127.0.0.1:%[2]d;
    root %[3]s;
    add_header Cache-Control no-cache;
  }
}
`

func newNginx(root string) (*NginxProcess, error) {
	path, err := nginxPath()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "gatefold-nginx-")
	if err != nil {
		return nil, err
	}
	onExit(func() { _ = os.RemoveAll(dir) })
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, nginxConfig, dir, port, root), 0o600); err != nil {
		return nil, err
	}
	arguments := []string{"-p", dir, "-c", config, "-e", filepath.Join(dir, "log")}
	if os.Getuid() == 0 { // its workers would be somebody else, who cannot read the files
		arguments = append(arguments, "-g", "user root;")
	}
	cmd := exec.Command(path, arguments...)
	if err := start(cmd); err != nil {
		return nil, err
	}
	p := &NginxProcess{URL: fmt.Sprintf("http://127.0.0.1:%d", port), PID: cmd.Process.Pid, cmd: cmd}
	return p, p.awaitReady(dir)
}

// nginxPath finds the program also where only root has it in the PATH.
func nginxPath() (string, error) {
	for _, name := range []string{"nginx", "/usr/sbin/nginx"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("nginx is not installed: run scripts/install-test-tools.sh bench")
}

func (p *NginxProcess) awaitReady(dir string) error {
	limit := time.After(patience)
	for {
		conn, err := net.Dial("tcp4", strings.TrimPrefix(p.URL, "http://"))
		if err == nil {
			return conn.Close()
		}
		select {
		case <-done(p.cmd):
			log, _ := os.ReadFile(filepath.Join(dir, "log")) // what cannot be read is not told
			return fmt.Errorf("nginx ended while starting: %s", log)
		case <-limit:
			stop(p.cmd, syscall.SIGKILL)
			return fmt.Errorf("nginx does not listen: %w", err)
		case <-time.After(pollInterval):
		}
	}
}
