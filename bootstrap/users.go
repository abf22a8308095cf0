package bootstrap

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"golang.org/x/term"

	"gatefold/adapters/control"
	"gatefold/application/manageaccounts"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

type userCommand struct {
	Create  createUserCommand   `cmd:"" help:"Create a user who signs in with a password."`
	Passwd  passwdCommand       `cmd:"" help:"Give a user another password, and end their sessions."`
	Disable disableUserCommand  `cmd:"" help:"Keep a user out, and end their sessions."`
	Enable  enableUserCommand   `cmd:"" help:"Let a user in again."`
	Delete  deleteUserCommand   `cmd:"" help:"Delete a user, who can be restored for a while."`
	Restore restoreUserCommand  `cmd:"" help:"Restore a user who was deleted."`
	Deleted deletedUsersCommand `cmd:"" help:"List the users who were deleted and can be restored."`
	List    listUsersCommand    `cmd:"" help:"List the users who have a way to sign in."`
}

// onVerbs runs do with the verbs of the running server, or of this process.
func onVerbs(c *command, do func(control.Verbs) error) error {
	cfg, log, err := c.beginQuietly()
	if err != nil {
		return err
	}
	return withVerbs(c.ctx, cfg, log, do)
}

type createUserCommand struct {
	Username    string `arg:"" help:"The name to sign in with."`
	Role        string `default:"user" enum:"user,editor,admin" help:"What they may do: user (look), editor (also images, locks, catalogue) or admin."`
	DisplayName string `help:"The name that others see."`
}

// Run asks for the password on the terminal, or reads the first line of stdin: what is
// in an argument is in the list of processes.
func (u createUserCommand) Run(c *command) error {
	password, err := c.readPassword()
	if err != nil {
		return err
	}
	return onVerbs(c, func(verbs control.Verbs) error {
		id, err := verbs.CreateUser(c.ctx, manageaccounts.CreateIn{
			Username: u.Username, DisplayName: u.DisplayName, Role: catalog.Role(u.Role), Password: password,
		})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(c.stdout, id)
		return err
	})
}

type passwdCommand struct {
	Username string `arg:"" help:"Who."`
}

// Run reads the password as createUserCommand does.
func (p passwdCommand) Run(c *command) error {
	password, err := c.readPassword()
	if err != nil {
		return err
	}
	return onVerbs(c, func(verbs control.Verbs) error { return verbs.SetPassword(c.ctx, p.Username, password) })
}

type disableUserCommand struct {
	Username string `arg:"" help:"Who."`
}

// Run keeps the user out.
func (d disableUserCommand) Run(c *command) error {
	return onVerbs(c, func(verbs control.Verbs) error { return verbs.SetDisabled(c.ctx, d.Username, true) })
}

type enableUserCommand struct {
	Username string `arg:"" help:"Who."`
}

// Run lets the user in again.
func (e enableUserCommand) Run(c *command) error {
	return onVerbs(c, func(verbs control.Verbs) error { return verbs.SetDisabled(c.ctx, e.Username, false) })
}

type listUsersCommand struct{}

// Run prints a line for each user.
func (listUsersCommand) Run(c *command) error {
	return onVerbs(c, func(verbs control.Verbs) error {
		accounts, err := verbs.ListUsers(c.ctx)
		if err != nil {
			return err
		}
		lines := [][]string{{"USERNAME", "ROLE", "SIGNS IN WITH", "STATE", "LAST SIGN-IN", "ID"}}
		for _, a := range accounts {
			with, state := "password", "enabled"
			switch {
			case a.PasswordHash == "":
				with = "identity provider"
			case a.Identities > 0:
				with = "both"
			}
			if a.Disabled {
				state = "disabled"
			}
			lines = append(lines, []string{a.User.Username, string(a.User.Role), with, state, moment(a.LastSignIn, "never"), a.User.ID.String()})
		}
		return printTable(c.stdout, lines)
	})
}

type listTokensCommand struct{}

// Run prints a line for each token, without its secret.
func (listTokensCommand) Run(c *command) error {
	return onVerbs(c, func(verbs control.Verbs) error {
		tokens, err := verbs.ListTokens(c.ctx)
		if err != nil {
			return err
		}
		lines := [][]string{{"ID", "NAME", "SCOPE", "CREATED", "EXPIRES", "LAST USED"}}
		for _, t := range tokens {
			expires := moment(t.ExpiresAt, "never")
			if t.Expired(time.Now()) {
				expires += " (expired)"
			}
			lines = append(lines, []string{t.ID.String(), t.Name, string(t.Scope), moment(t.CreatedAt, ""), expires, moment(t.LastUsedAt, "never")})
		}
		return printTable(c.stdout, lines)
	})
}

type revokeTokenCommand struct {
	ID string `arg:"" help:"The ID of the token, as the list has it."`
}

// Run makes the token good for nothing.
func (r revokeTokenCommand) Run(c *command) error {
	id, err := artwork.ParseID(r.ID)
	if err != nil {
		return err
	}
	return onVerbs(c, func(verbs control.Verbs) error { return verbs.RevokeToken(c.ctx, id) })
}

func moment(t time.Time, never string) string {
	if t.IsZero() {
		return never
	}
	return t.UTC().Format("2006-01-02 15:04")
}

// printTable prints columns. What is called something strange does not take over the
// terminal.
func printTable(w io.Writer, lines [][]string) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, line := range lines {
		for i, cell := range line {
			line[i] = strings.Map(printable, cell)
		}
		fmt.Fprintln(table, strings.Join(line, "\t"))
	}
	return table.Flush()
}

// readPassword asks for a password, twice, or reads the first line of what is piped in.
func (c *command) readPassword() (string, error) {
	file, ok := c.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(c.stdin, maxPasswordLine)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", artwork.Errorf(artwork.InvalidInput, "the password cannot be read from stdin: %v", err)
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	var typed [2]string
	for i, prompt := range []string{"Password: ", "Once more: "} {
		fmt.Fprintf(c.stderr, "%s", prompt)
		text, err := term.ReadPassword(int(file.Fd()))
		fmt.Fprintln(c.stderr)
		if err != nil {
			return "", artwork.Errorf(artwork.InvalidInput, "the password cannot be read: %v", err)
		}
		typed[i] = string(text)
	}
	if typed[0] != typed[1] {
		return "", artwork.Errorf(artwork.InvalidInput, "the two are not the same")
	}
	return typed[0], nil
}

// maxPasswordLine bounds what is read of stdin.
const maxPasswordLine = 4096

func printable(r rune) rune {
	if unicode.IsControl(r) {
		return unicode.ReplacementChar
	}
	return r
}
