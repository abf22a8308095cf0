// Package signin lets users in and out, and says of every credential whose it is.
package signin

import (
	"gatefold/application/accesstoken"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Kind is what a principal is.
type Kind string

// The kinds.
const (
	APIToken Kind = "token"
	User     Kind = "user"
)

// Principal is who makes a request, and how much they may do.
type Principal struct {
	Kind    Kind
	ID      artwork.ID // of the token or the user
	Name    string
	Scope   accesstoken.Scope
	Session artwork.ID // of a user
	// Account is the user; zero for an API token.
	Account catalog.User
}

// Is reports whether the principal is the user, and not a program with a token.
func (p Principal) Is(user artwork.ID) bool { return p.Kind == User && p.ID == user }

// Actor returns the principal as histories and logs name it.
func (p Principal) Actor() artwork.Actor { return artwork.Actor{Name: p.Name, ID: p.ID} }

// scopes are what the roles may do.
var scopes = map[catalog.Role]accesstoken.Scope{
	catalog.RoleUser: accesstoken.Read, catalog.RoleEditor: accesstoken.Write, catalog.RoleAdmin: accesstoken.Admin,
}

// ScopeOf returns what a role may do; a role that is not known, nothing.
func ScopeOf(role catalog.Role) accesstoken.Scope { return scopes[role] }
