package rest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

// TestTheContractIsSound: it is an OpenAPI document, its examples are true to their
// schemas, and every operation says what readers and generators need.
func TestTheContractIsSound(t *testing.T) {
	t.Parallel()
	doc, err := openapi3.NewLoader().LoadFromData(OpenAPI())
	require.NoError(t, err)
	require.NoError(t, doc.Validate(t.Context(), openapi3.EnableSchemaFormatValidation()))
	var tags []string
	for _, tag := range doc.Tags {
		tags = append(tags, tag.Name)
	}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			for _, fault := range faultsOf(doc, op, tags) {
				t.Errorf("%s %s: %s", method, path, fault)
			}
		}
	}
}

// faultsOf returns what an operation lacks.
func faultsOf(doc *openapi3.T, op *openapi3.Operation, tags []string) (faults []string) {
	require := func(ok bool, fault string) {
		if !ok {
			faults = append(faults, fault)
		}
	}
	has := func(status int) bool { return op.Responses.Status(status) != nil }
	require(op.OperationID != "", "it has no operationId")
	require(op.Summary != "" && !strings.HasSuffix(op.Summary, "."), "it has no summary, or one that ends with a dot")
	require(len(op.Tags) > 0, "it has no tags")
	for _, tag := range op.Tags {
		require(slices.Contains(tags, tag), "there is no tag "+tag)
	}
	scope, scoped := op.Extensions["x-scope"]
	require(!scoped || slices.Contains([]any{"read", "write", "admin"}, scope), "its x-scope is none of read, write and admin")
	right, special := op.Extensions["x-right"]
	require(!special || slices.Contains([]any{"own", "signed-in", "session"}, right), "its x-right is none of own, signed-in and session")
	guarded := scoped || right == "own" || right == "signed-in"
	open := op.Security != nil && len(*op.Security) == 0
	require(guarded != open, "it has either an x-scope or an x-right or, if everybody may call it, security: []")
	require(has(http.StatusBadRequest), "it does not answer 400: merge *guarded or *public into its responses")
	require(!guarded && right != "session" || has(http.StatusUnauthorized) && has(http.StatusForbidden), "it does not answer 401 and 403: merge *guarded into its responses")
	require(op.RequestBody == nil || has(http.StatusRequestEntityTooLarge), "it does not answer 413: merge *json or *file into its responses")
	success := false
	for status, response := range op.Responses.Map() {
		success = success || status[0] == '2' || status == "302" || status == "303"
		for _, media := range response.Value.Content {
			require(media.Schema != nil, "a body of "+status+" has no schema")
			for _, fault := range eventFaults(doc, media) {
				require(false, fault)
			}
		}
		require(status[0] < '4' || response.Value.Content.Get("application/problem+json") != nil || slices.Contains(op.Tags, "Health"),
			"its "+status+" is no problem document")
	}
	require(success, "it has no success")
	if body := op.RequestBody; body != nil {
		for _, media := range body.Value.Content {
			closed := media.Schema.Value.AdditionalProperties.Has
			require(closed != nil && !*closed, "its body takes unknown fields: additionalProperties: false")
		}
	}
	return faults
}

func eventFaults(doc *openapi3.T, media *openapi3.MediaType) (faults []string) {
	events, _ := media.Extensions["x-events"].(map[string]any)
	for name, schema := range events {
		if text, _ := schema.(string); doc.Components.Schemas[text] == nil {
			faults = append(faults, "the event "+name+" has no schema")
		}
	}
	return faults
}

// TestFaultsAreFound proves that the test above would notice.
func TestFaultsAreFound(t *testing.T) {
	t.Parallel()
	bad := `{"openapi":"3.0.3","info":{"title":"a","version":"1"},"paths":{"/a":{"put":{"tags":["b"],"summary":"A.","x-scope":"all","x-right":"all","security":[],
		"requestBody":{"content":{"application/json":{"schema":{"type":"object"}}}},"responses":{"404":{"description":"c"}}}}}}`
	doc, err := openapi3.NewLoader().LoadFromData([]byte(bad))
	require.NoError(t, err)
	require.Len(t, faultsOf(doc, doc.Paths.Value("/a").Put, nil), 12)
}

// TestWhatIsPublished: the document as clients get it is complete, and has nothing that
// is for this program only.
func TestWhatIsPublished(t *testing.T) {
	t.Parallel()
	k, err := loadContract()
	require.NoError(t, err)
	for _, private := range []string{"x-go-", "x-is", "x-answers"} {
		require.NotContains(t, string(k.published), `"`+private)
	}
	doc, err := openapi3.NewLoader().LoadFromData(k.published)
	require.NoError(t, err)
	require.NoError(t, doc.Validate(t.Context()))
	require.Equal(t, "write", doc.Paths.Value("/api/artists/{id}").Put.Extensions["x-scope"])
	require.NotNil(t, doc.Paths.Value("/api/artists/{id}").Put.Responses.Status(http.StatusForbidden), "what was merged is there")
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	parameter := func(name string, extensions map[string]any, values ...any) *openapi3.ParameterRef {
		schema := &openapi3.Schema{Enum: values}
		return &openapi3.ParameterRef{Value: &openapi3.Parameter{Name: name, In: "path", Extensions: extensions, Schema: &openapi3.SchemaRef{Value: schema}}}
	}
	require.Equal(t, []string{"/a/x/:id", "/a/y/:id"}, patternsOf("/a/{kind}/{id}", openapi3.Parameters{
		parameter("kind", map[string]any{"x-route-per-value": true}, "x", "y"), parameter("id", nil, "not", "looked at"),
	}))
}

// TestShortcomings: what a body lacks is said in words of this API.
func TestShortcomings(t *testing.T) {
	t.Parallel()
	schema := &openapi3.Schema{}
	require.NoError(t, json.Unmarshal([]byte(`{"type":"object","additionalProperties":false,"required":["id"],"properties":{
		"id":{"type":"string","pattern":"^[0-9]+$","x-is":"a number"},"kind":{"type":"string","enum":["a","b","c"],"x-is":"a kind"},"one":{"type":"string","enum":["a"]},
		"n":{"type":"integer","minimum":1,"maximum":9},"least":{"type":"number","minimum":2},"most":{"type":"number","maximum":3},"name":{"type":"string","minLength":1},
		"short":{"type":"string","minLength":1,"maxLength":2},"flag":{"type":"boolean"},"inner":{"type":"object","additionalProperties":false,"properties":{"x":{"type":"string"}}},
		"items":{"type":"array","minItems":1,"maxItems":2,"items":{"type":"object","additionalProperties":false,"properties":{"x":{"type":"string"}}}},
		"unique":{"type":"array","uniqueItems":true,"items":{"type":"string"}}}}`), schema))
	for body, want := range map[string]string{
		`[]`: "the body must be a JSON object, not a JSON array", `null`: "the body must be a JSON object, not null", `7`: "the body must be a JSON object, not a JSON number",
		`{}`: `the field "id" is missing`, `{"id":7}`: `the field "id" cannot be a JSON number`, `{"id":null}`: `the field "id" cannot be null`,
		`{"id":"x"}`: `"x" is not a number`, `{"id":"` + strings.Repeat("y", 100) + `"}`: `"` + strings.Repeat("y", 64) + `…" is not a number`,
		`{"id":"1","ID":"1"}`: `the body is not what is expected: unknown field "ID"`, `{"id":"1","kind":"d"}`: `"d" is not a kind: use a, b or c`,
		`{"id":"1","one":"d"}`: `"d" is not what is expected: use a`, `{"id":"1","n":10}`: "n must be a number from 1 to 9", `{"id":"1","n":1.5}`: "n must be a whole number",
		`{"id":"1","least":1}`: "least must be a number, at least 2", `{"id":"1","most":4}`: "most must be a number, at most 3", `{"id":"1","name":""}`: "name is empty",
		`{"id":"1","short":"abc"}`: "short must have 1 to 2 characters", `{"id":"1","flag":"yes"}`: `the field "flag" cannot be a JSON string`,
		`{"id":"1","inner":{"x":true}}`: `the field "inner.x" cannot be a JSON boolean`, `{"id":"1","inner":{"y":1}}`: `inner is not what is expected: unknown field "y"`,
		`{"id":"1","items":[]}`: "items must be 1 to 2, not 0", `{"id":"1","items":[{},{},{}]}`: "items must be 1 to 2, not 3",
		`{"id":"1","items":[{},7]}`: "items[1]: the item must be a JSON object, not a JSON number", `{"id":"1","items":[{"x":[]}]}`: `items[0]: the field "x" cannot be a JSON array`,
		`{"id":"1","items":[{"y":{}}]}`: `items[0]: the item is not what is expected: unknown field "y"`, `{"id":"1","unique":["a","a"]}`: "unique is not what is expected: duplicate items found",
		`{"id":"1"}`: "",
	} {
		var value any
		require.NoError(t, json.Unmarshal([]byte(body), &value))
		err := schema.VisitJSON(value, openapi3.VisitAsRequest())
		if want == "" {
			require.NoError(t, err)
			continue
		}
		var found *openapi3.SchemaError
		require.ErrorAs(t, err, &found, body)
		require.Equal(t, want, shortcomingOf(found).String(), body)
	}
}

// TestUnknownParametersAreRefused by the contract, for every operation but those whose
// query is open and those of images, which check it themselves: no other handler has to.
func TestUnknownParametersAreRefused(t *testing.T) {
	t.Parallel()
	k, err := loadContract()
	require.NoError(t, err)
	checked := 0
	for pattern, methods := range k.operations {
		for method, op := range methods {
			if op.anyQuery || op.servesBytes {
				continue
			}
			checked++
			for query, detail := range map[string]string{"nonsense=1": `unknown query parameter "nonsense"`, "%zz": "the query is not name=value"} {
				engine := gin.New()
				engine.Handle(method, pattern, func(c *gin.Context) {
					err := k.check(c)
					require.Equal(t, artwork.InvalidInput, artwork.KindOf(err), "%s %s", method, pattern)
					require.ErrorContains(t, err, detail, "%s %s", method, pattern)
				})
				path := strings.NewReplacer(":id", "x", ":", "", "*", "").Replace(pattern)
				engine.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, path+"?"+query, nil))
			}
		}
	}
	require.Greater(t, checked, 70)
}

// BenchmarkCheck is what the contract costs a request: nothing that counts if it is for
// an image.
func BenchmarkCheck(b *testing.B) {
	const id = "6d1d3b8e-3c1e-4a55-8a63-5a0f5a1f2c11"
	k, err := loadContract()
	require.NoError(b, err)
	for name, c := range map[string]struct{ method, pattern, path, body string }{
		"image": {http.MethodGet, "/api/images/albums/:id/cover", "/api/images/albums/" + id + "/cover?tag=0123456789abcdef", ""},
		"list":  {http.MethodGet, "/api/artists", "/api/artists?query=a&page=2&pageSize=50", ""},
		"put":   {http.MethodPut, "/api/albums/:id", "/api/albums/" + id, `{"name":"Uno","artistId":"` + id + `","year":1999}`},
	} {
		b.Run(name, func(b *testing.B) {
			engine := gin.New()
			engine.Handle(c.method, c.pattern, func(c *gin.Context) {
				if err := k.check(c); err != nil {
					b.Fatal(err)
				}
			})
			for b.Loop() {
				engine.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(c.method, c.path, strings.NewReader(c.body)))
			}
		})
	}
	b.Run("no contract", func(b *testing.B) {
		engine := gin.New()
		engine.GET("/api/images/albums/:id/cover", func(*gin.Context) {})
		for b.Loop() {
			engine.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/api/images/albums/"+id+"/cover?tag=0123456789abcdef", strings.NewReader("")))
		}
	})
}
