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
	"gatefold/domain/artwork"
	"gatefold/test/contract"
)

// TestRoutesAndContractMatch: every route is in openapi.yaml, and the reverse.
func TestRoutesAndContractMatch(t *testing.T) {
	var router *rest.Router
	combinations["memory and SQLite"](t).startWith(t, fx.Populate(&router))
	routes, contracted := router.Endpoints(), router.Contracted()
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

// TestEveryOperationAsksForItsScope: without a token, with one that is wrong, and with
// one of too small a scope nothing else of a request counts; the scope of the contract
// is enough, and a public operation needs none.
func TestEveryOperationAsksForItsScope(t *testing.T) {
	in := combinations["memory and SQLite"](t).start(t)
	scopes := []accesstoken.Scope{accesstoken.Read, accesstoken.Write, accesstoken.Admin}
	tokens := map[accesstoken.Scope]string{}
	for _, scope := range scopes {
		secret, err := in.server.CreateToken(t.Context(), accesstoken.CreateIn{Name: string(scope), Scope: scope})
		require.NoError(t, err)
		tokens[scope] = "Bearer " + secret
	}
	for path, item := range contract.Document().Paths.Map() {
		for method, op := range item.Operations() {
			name, _ := op.Extensions["x-scope"].(string)
			path := fill(path, append(slices.Clone(item.Parameters), op.Parameters...))
			if op.OperationID == "streamEvents" {
				method = http.MethodHead // which has an end
			}
			call := func(authorization string) answer { return in.do(method, path, nil, "Authorization", authorization) }
			if name == "" {
				require.NotContains(t, []int{http.StatusUnauthorized, http.StatusForbidden}, call("Bearer gf_wrong").StatusCode, op.OperationID)
				continue
			}
			for _, authorization := range []string{"", "Bearer", "Bearer gf_wrong", "Basic " + in.token} {
				require.Equal(t, http.StatusUnauthorized, call(authorization).StatusCode, "%s with %q", op.OperationID, authorization)
			}
			for _, scope := range scopes {
				want := !scope.Allows(accesstoken.Scope(name))
				require.Equal(t, want, call(tokens[scope]).StatusCode == http.StatusForbidden, "%s with the scope %s", op.OperationID, scope)
			}
		}
	}
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
