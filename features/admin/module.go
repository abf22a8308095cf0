// Package admin plugs in the tokens that guard changes, and the page that shows
// what there is.
package admin

import (
	"go.uber.org/fx"

	"gatefold/adapters/rest"
	"gatefold/application/accesstoken"
)

// Module provides the use cases of accesstoken and the route of the page.
func Module() fx.Option {
	return fx.Module("admin", fx.Provide(
		accesstoken.NewCreate,
		accesstoken.NewAuthenticate,
		fx.Annotate(rest.NewWelcome, fx.As(new(rest.Routes)), fx.ResultTags(`group:"routes"`)),
	))
}
