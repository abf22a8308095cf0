package openidconnect

import (
	"slices"
	"strings"

	"gatefold/domain/catalog"
)

// Roles say which role the values of a claim give. If nothing is mapped, everybody is a
// user, and roles are given in Gatefold.
type Roles struct {
	Claim string // such as groups, or realm_access.roles for a claim in a claim
	// Admin, Editor and User are the values for each role. If there are values for
	// User, whoever has none of all these is not let in.
	Admin, Editor, User []string
}

// mapped reports whether the provider decides about roles.
func (r Roles) mapped() bool { return len(r.Admin)+len(r.Editor)+len(r.User) > 0 }

// of returns the greatest role that the claims give, "" if none, and whether the
// provider decides about it.
func (r Roles) of(claims map[string]any) (role catalog.Role, decides bool) {
	if !r.mapped() {
		return catalog.RoleUser, false
	}
	values := valuesOf(claims, r.Claim)
	has := func(some []string) bool {
		return slices.ContainsFunc(values, func(value string) bool { return slices.Contains(some, value) })
	}
	switch {
	case has(r.Admin):
		return catalog.RoleAdmin, true
	case has(r.Editor):
		return catalog.RoleEditor, true
	case has(r.User), len(r.User) == 0:
		return catalog.RoleUser, true
	}
	return "", true
}

// valuesOf returns the texts of a claim, which is one or a list. A name that is not a
// claim's may be a path through claims.
func valuesOf(claims map[string]any, name string) (values []string) {
	claim, ok := claims[name]
	if !ok {
		outer, rest, nested := strings.Cut(name, ".")
		if inner, isObject := claims[outer].(map[string]any); nested && isObject {
			return valuesOf(inner, rest)
		}
		return nil
	}
	switch claim := claim.(type) {
	case string:
		return []string{claim}
	case []any:
		for _, item := range claim {
			if text, ok := item.(string); ok {
				values = append(values, text)
			}
		}
	}
	return values
}
