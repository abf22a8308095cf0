package bootstrap

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gatefold/application/keyring"
	"gatefold/domain/artwork"
)

// secretFile holds the secret of an embedded deployment that was given none.
const secretFile = "auth-secret"

// secrets returns the current secret and the previous ones. Instances that share a
// database must share the secret too, so a server database needs one to be given. No
// secret is ever repeated.
func (c *checker) secrets(current, previous string, embedded bool) []string {
	var secrets []string
	if current = strings.TrimSpace(current); current != "" {
		secrets = append(secrets, current)
	} else if !embedded {
		c.fail("AUTH_SECRET", "Postgres needs one, the same for every instance: openssl rand -hex 32")
	}
	older := listed(previous)
	if len(older) > 0 && current == "" && embedded {
		c.fail("AUTH_SECRET_PREVIOUS", "goes with AUTH_SECRET")
	}
	for i, secret := range append(secrets, older...) {
		if len(secret) < keyring.MinSecret {
			variable := "AUTH_SECRET_PREVIOUS"
			if i < len(secrets) {
				variable = "AUTH_SECRET"
			}
			c.fail(variable, "a secret has at least %d characters: openssl rand -hex 32", keyring.MinSecret)
		}
	}
	return append(secrets, older...)
}

// openKeyring returns the keys of the deployment. If no secret was given, it is the
// one in the data directory, which is written if there is none. If one was given, that
// one is still accepted: what it sealed is not lost on the day that a secret is given.
//
// The lock on the data directory must be held. It is held alone wherever a file may
// have to be written.
func openKeyring(cfg Config) (*keyring.Keyring, error) {
	path := filepath.Join(cfg.DataDir, secretFile)
	kept, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, artwork.Errorf(artwork.InvalidInput, "AUTH_SECRET: the one in %s cannot be read: %v", path, err)
	}
	secrets := cfg.AuthSecrets
	switch secret := strings.TrimSpace(string(kept)); {
	case err == nil && len(secret) < keyring.MinSecret:
		return nil, artwork.Errorf(artwork.InvalidInput, "AUTH_SECRET: %s holds less than %d characters; "+
			"restore it, or remove it, which ends every session and forgets the stored keys of providers", path, keyring.MinSecret)
	case err == nil:
		secrets = append(secrets, secret)
	case len(secrets) == 0:
		secrets = []string{keyring.Generate()}
		if err := writeSecret(path, secrets[0]); err != nil {
			return nil, artwork.Errorf(artwork.InvalidInput, "AUTH_SECRET: none is given, and %s cannot be written: %v", path, err)
		}
	}
	return keyring.New(secrets[0], secrets[1:]...)
}

// findKeyring is openKeyring for who only looks: if there is no secret yet, it is one
// that is kept nowhere.
func findKeyring(cfg Config) (*keyring.Keyring, error) {
	_, err := os.Stat(filepath.Join(cfg.DataDir, secretFile))
	if len(cfg.AuthSecrets) == 0 && errors.Is(err, fs.ErrNotExist) {
		return keyring.New(keyring.Generate())
	}
	return openKeyring(cfg)
}

// writeSecret writes the file whole or not at all.
func writeSecret(path, secret string) error {
	file, err := os.CreateTemp(filepath.Dir(path), secretFile+"-") // of mode 0600
	if err != nil {
		return err
	}
	_, err = file.WriteString(secret + "\n")
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name()) // what went wrong first is what to tell
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes the names in a directory outlast a loss of power: what is sealed must
// not outlive its secret.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
