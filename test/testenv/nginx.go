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
	dir string
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
	dir, err := temporaryFolder("gatefold-nginx-")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	return startNginx(dir, port, fmt.Sprintf(nginxConfig, dir, port, root))
}

func temporaryFolder(prefix string) (string, error) {
	dir, err := os.MkdirTemp("", prefix)
	onExit(func() { _ = os.RemoveAll(dir) })
	return dir, err
}

// NginxDeployed starts an nginx by a file of deploy/nginx, which ends with the test.
// Nothing is replaced in the file but the port, the folders and what the caller says: old
// and new in turn. Each old has to be there. More files are put where it includes some.
func NginxDeployed(tb TB, file string, more []string, replace ...string) *NginxProcess {
	tb.Helper()
	p, err := newNginxDeployed(file, more, replace)
	if err != nil {
		fatalf(tb, "starting nginx by %s: %v", file, err)
	}
	tb.Cleanup(func() { stop(p.cmd, syscall.SIGQUIT) })
	return p
}

func newNginxDeployed(file string, more, replace []string) (*NginxProcess, error) {
	dir, err := temporaryFolder("gatefold-nginx-")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	replace = append([]string{
		"listen 8080;", fmt.Sprintf("listen 127.0.0.1:%d;", port), "/tmp/", dir + "/", "/dev/stdout", filepath.Join(dir, "access"),
		"/etc/nginx/gatefold", filepath.Join(dir, "gatefold"), "events {", "daemon off;\nevents {",
	}, replace...)
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(string(text), replace[i]) {
			return nil, fmt.Errorf("it does not say %q", replace[i])
		}
	}
	if err := include(filepath.Join(dir, "gatefold"), more, strings.NewReplacer("/tmp/", dir+"/")); err != nil {
		return nil, err
	}
	return startNginx(dir, port, strings.NewReplacer(replace...).Replace(string(text)))
}

// include puts files into a folder of files that are included.
func include(folder string, files []string, replacer *strings.Replacer) error {
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, filepath.Base(file)), []byte(replacer.Replace(string(text))), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// startNginx starts an nginx that keeps everything in the folder.
func startNginx(dir string, port int, configuration string) (*NginxProcess, error) {
	path, err := nginxPath()
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(config, []byte(configuration), 0o600); err != nil {
		return nil, err
	}
	arguments := []string{"-p", dir, "-c", config, "-e", filepath.Join(dir, "log")}
	if os.Getuid() == 0 { // its workers would be somebody else, who cannot read the files
		arguments = append(arguments, "-g", "user root;")
	}
	if said, err := exec.Command(path, append([]string{"-t"}, arguments...)...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("nginx -t: %w\n%s", err, said)
	}
	cmd := exec.Command(path, arguments...)
	if cmd.Stderr, err = os.Create(filepath.Join(dir, "stderr")); err != nil {
		return nil, err
	}
	if err := start(cmd); err != nil {
		return nil, err
	}
	p := &NginxProcess{URL: fmt.Sprintf("http://127.0.0.1:%d", port), PID: cmd.Process.Pid, cmd: cmd, dir: dir}
	return p, p.awaitReady(dir)
}

// Log returns what nginx has written of requests, and of what went wrong.
func (p *NginxProcess) Log() string {
	var all strings.Builder
	for _, name := range []string{"access", "stderr", "log"} {
		text, _ := os.ReadFile(filepath.Join(p.dir, name)) // not every configuration has each
		all.Write(text)
	}
	return all.String()
}

// nginxPath finds the program also where only root has it in the PATH.
func nginxPath() (string, error) {
	for _, name := range []string{"nginx", "/usr/sbin/nginx"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("nginx is not installed: run scripts/install-test-tools.sh")
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
