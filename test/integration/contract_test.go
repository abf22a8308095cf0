package integration

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"gatefold/adapters/rest"
	"gatefold/application/accesstoken"
	"gatefold/application/manageaccounts"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
	"gatefold/test/contract"
)

// TestRoutesAndContractMatch: every route is in openapi.yaml, and the reverse.
func TestRoutesAndContractMatch(t *testing.T) {
	var router *rest.Router
	combinations["memory and SQLite"](t).startWith(t, fx.Populate(&router))
	routes, contracted := router.Endpoints(), router.Contracted()
	routes = slices.DeleteFunc(routes, func(e rest.Endpoint) bool { return contract.IsPanel(e.Path) })
	require.Greater(t, len(routes), 60)
	for _, e := range missingFrom(contracted, routes) {
		t.Errorf("%s %s is a route, and not in the contract.%s", e.Method, e.Path, stub(e))
	}
	for _, e := range missingFrom(routes, contracted) {
		t.Errorf("%s %s is in the contract, and no route: remove it from adapters/rest/openapi.yaml, or register it (HEAD comes with GET)", e.Method, e.Path)
	}
	newcomer := rest.Endpoint{Method: http.MethodPut, Path: "/api/new/:id"}
	require.Equal(t, []rest.Endpoint{newcomer}, missingFrom(contracted, append(routes, newcomer)))
	require.Equal(t, []rest.Endpoint{newcomer}, missingFrom(routes, append(contracted, newcomer)))
}

// missingFrom returns the endpoints that are not in the list, in order.
func missingFrom(list, endpoints []rest.Endpoint) []rest.Endpoint {
	missing := slices.DeleteFunc(slices.Clone(endpoints), func(e rest.Endpoint) bool { return slices.Contains(list, e) })
	slices.SortFunc(missing, func(a, b rest.Endpoint) int { return strings.Compare(a.Path+a.Method, b.Path+b.Method) })
	return missing
}

// stub is what to write into the contract.
func stub(e rest.Endpoint) string {
	path, parameters := e.Path, ""
	for segment := range strings.SplitSeq(e.Path, "/") {
		if name, ok := strings.CutPrefix(segment, ":"); ok {
			path = strings.Replace(path, segment, "{"+name+"}", 1)
			parameters += "\n      - {name: " + name + ", in: path, required: true, schema: {$ref: '#/components/schemas/Id'}}"
		}
	}
	if parameters != "" {
		parameters = "\n    parameters:" + parameters
	}
	return fmt.Sprintf(` Add it to paths in adapters/rest/openapi.yaml, and run make generate:

  %s:
    %s:
      operationId: # a verb and what it is of; the name of the function in clients
      tags: []
      summary: # without a dot
      x-scope: # as at the route; or, if everybody may call it, security: []
      responses:
        <<: *guarded # or *public; with *json, *file, *change as needed
        '200':
          description:
          content:
            application/json:
              schema: {$ref: '#/components/schemas/…'}%s
`, path, strings.ToLower(e.Method), parameters)
}

// rights are credentials of every kind: an API token of each scope, and a user whom
// nothing belongs to but an account.
type rights struct {
	*instance
	tokens map[accesstoken.Scope]string
	user   string // reads
}

func newRights(t *testing.T) rights {
	t.Helper()
	in := combinations["memory and SQLite"](t).start(t)
	r := rights{in, map[accesstoken.Scope]string{}, ""}
	for _, scope := range []accesstoken.Scope{accesstoken.Read, accesstoken.Write, accesstoken.Admin} {
		secret, err := in.server.CreateToken(t.Context(), accesstoken.CreateIn{Name: string(scope), Scope: scope})
		require.NoError(t, err)
		r.tokens[scope] = "Bearer " + secret
	}
	_, err := in.server.CreateUser(t.Context(), manageaccounts.CreateIn{Username: "ana", Role: catalog.RoleUser, Password: aPassword})
	require.NoError(t, err)
	r.user = "Bearer " + in.signIn("ana").access
	return r
}

// TestEveryOperationAsksForItsScope: without a token, with one that is wrong, and with
// one of too small a scope nothing else of a request counts; the right of the contract
// is enough, and a public operation needs none.
func TestEveryOperationAsksForItsScope(t *testing.T) {
	r := newRights(t)
	for path, item := range contract.Document().Paths.Map() {
		for method, op := range item.Operations() {
			if op.OperationID == "streamEvents" {
				method = http.MethodHead // which has an end
			}
			parameters := append(slices.Clone(item.Parameters), op.Parameters...)
			for _, subject := range subjectsOf(parameters) {
				path := fill(strings.ReplaceAll(path, "{subject}", subject), parameters)
				scope, _ := op.Extensions["x-scope"].(string)
				right, _ := op.Extensions["x-right"].(string)
				if right == "own" && scope != "" && subject != "user" {
					right = "" // it is about artists and albums
				}
				r.require(op.OperationID, method, path, scope, right)
			}
		}
	}
}

// subjectsOf returns the values of the parameter "subject"; "" if there is none.
func subjectsOf(parameters openapi3.Parameters) (subjects []string) {
	for _, p := range parameters {
		if p.Value.Name == "subject" && p.Value.In == openapi3.ParameterInPath {
			for _, value := range p.Value.Schema.Value.Enum {
				subjects = append(subjects, fmt.Sprint(value))
			}
			return subjects
		}
	}
	return []string{""}
}

// require calls an operation with every credential.
func (r rights) require(op, method, path, scope, right string) {
	r.t.Helper()
	status := func(authorization string) int {
		return r.do(method, path, nil, "Authorization", authorization).StatusCode
	}
	if scope == "" && (right == "" || right == "session") {
		if right == "" {
			require.NotContains(r.t, []int{http.StatusUnauthorized, http.StatusForbidden}, status("Bearer gf_wrong"), op)
		}
		return
	}
	for _, authorization := range []string{"", "Bearer", "Bearer gf_wrong", "Basic " + r.token} {
		require.Equal(r.t, http.StatusUnauthorized, status(authorization), "%s with %q", op, authorization)
	}
	for held, token := range r.tokens {
		allowed := held.Allows(accesstoken.Scope(scope))
		switch right {
		case "own":
			allowed = held == accesstoken.Admin
		case "signed-in":
			allowed = false
		}
		require.Equal(r.t, !allowed, status(token) == http.StatusForbidden, "%s with the scope %s", op, held)
	}
	allowed := accesstoken.Read.Allows(accesstoken.Scope(scope))
	switch right {
	case "own":
		allowed = !strings.Contains(path, "/user/") // which is another one
	case "signed-in":
		allowed = true
	}
	require.Equal(r.t, !allowed, status(r.user) == http.StatusForbidden, "%s %s as a user", op, path)
}

// fill puts something into the parameters of a path.
func fill(path string, parameters openapi3.Parameters) string {
	for _, p := range parameters {
		value := artwork.NewID().String()
		if values := p.Value.Schema.Value.Enum; len(values) > 0 {
			value, _ = values[0].(string)
		}
		path = strings.ReplaceAll(path, "{"+p.Value.Name+"}", value)
	}
	return path
}

// TestTheContractIsServed, and the page that shows it, by this server alone.
func TestTheContractIsServed(t *testing.T) {
	in := combinations["memory and SQLite"](t).start(t)
	served := in.get("/api/openapi.json")
	require.Equal(t, http.StatusOK, served.StatusCode)
	doc, err := openapi3.NewLoader().LoadFromData(served.body)
	require.NoError(t, err)
	require.Equal(t, contract.Document().Paths.Len(), doc.Paths.Len())
	require.Equal(t, "3.0.3", doc.OpenAPI)

	page := in.get("/api/docs")
	require.Contains(t, page.Header.Get("Content-Type"), "text/html")
	require.Contains(t, page.Header.Get("Content-Security-Policy"), "default-src 'none'; script-src 'self';")
	require.NotContains(t, string(page.body), "//", "an address of somebody else")
	for _, file := range []string{"swagger-ui.css", "swagger-ui-bundle.js", "docs.js"} {
		require.Contains(t, string(page.body), `"/api/docs/`+file+`"`)
		require.Equal(t, http.StatusOK, in.get("/api/docs/"+file).StatusCode, file)
	}
	requireProblem(t, in.get("/api/docs/favicon.ico"), http.StatusNotFound, "not_found")

	for _, path := range []string{"/api/openapi.json", "/api/docs", "/api/docs/docs.js"} {
		plain, gzipped := in.get(path, "Accept-Encoding", "identity"), in.get(path, "Accept-Encoding", "gzip")
		require.Equal(t, "gzip", gzipped.Header.Get("Content-Encoding"))
		require.Empty(t, plain.Header.Get("Content-Encoding"))
		require.NotEqual(t, plain.Header.Get("ETag"), gzipped.Header.Get("ETag"), "different bytes")
		for _, a := range []answer{plain, gzipped} {
			require.Equal(t, "Accept-Encoding", a.Header.Get("Vary"))
			require.Equal(t, "no-cache", a.Header.Get("Cache-Control"))
		}
		again := in.get(path, "Accept-Encoding", "identity", "If-None-Match", plain.Header.Get("ETag"))
		require.Equal(t, http.StatusNotModified, again.StatusCode)
	}
}
