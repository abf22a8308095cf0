package control

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"os"
	"path/filepath"
)

// socketFile is the name under which a listening socket is found.
type socketFile struct {
	path string
	info os.FileInfo // of the socket, not of what else may have the name by now
}

// listen returns a socket that is found at path, in place of what was there. It is
// made under a name of its own, no longer than SocketName, and then renamed, so that
// of several servers that do so at once each takes the place of the one before: to
// remove and to bind would let two of them meet in between.
func listen(ctx context.Context, path string) (net.Listener, socketFile, error) {
	own := filepath.Join(filepath.Dir(path), "."+rand.Text()[:8]+".new")
	listener, err := (&net.ListenConfig{}).Listen(ctx, "unix", own)
	if err != nil {
		return nil, socketFile{}, err
	}
	// By then the name may be that of another server's socket.
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	info, err := publish(own, path)
	if err != nil {
		return nil, socketFile{}, errors.Join(err, listener.Close(), os.Remove(own))
	}
	return listener, socketFile{path, info}, nil
}

// publish makes the socket one that only its owner may use, and gives it its name.
func publish(own, path string) (os.FileInfo, error) {
	if err := os.Chmod(own, 0o600); err != nil {
		return nil, err
	}
	info, err := os.Lstat(own)
	if err != nil {
		return nil, err
	}
	return info, os.Rename(own, path)
}

// remove removes the name unless it is that of another server's socket.
func (f socketFile) remove() {
	if info, err := os.Lstat(f.path); err == nil && os.SameFile(info, f.info) {
		_ = os.Remove(f.path) // a name that leads nowhere is taken over by the next server
	}
}
