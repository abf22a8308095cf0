package rest

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"gatefold/application/providersettings"
)

// patches is a route that tells what was read of a patch.
type patches struct{ read providersettings.Patch }

// Register implements Routes.
func (p *patches) Register(r *Router) {
	r.engine.PATCH("/patch", r.run(func(c *gin.Context) (err error) {
		p.read, err = readSettingsPatch(c)
		return err
	}))
}

func TestPatchesOfSettings(t *testing.T) {
	t.Parallel()
	p := &patches{}
	r := NewRouter(nil, nil, slog.New(slog.DiscardHandler), []Routes{p})
	read := func(body string) providersettings.Patch {
		t.Helper()
		answer(t, r, httptest.NewRequest(http.MethodPatch, "/patch", strings.NewReader(body)))
		return p.read
	}
	text := func(s string) *string { return &s }
	require.Empty(t, read(`{}`))
	require.Equal(t, providersettings.Patch{providersettings.Enabled: nil, providersettings.Key: nil}, read(`{"enabled": null, "key": null}`))
	require.Equal(t, providersettings.Patch{
		providersettings.Enabled: text("false"), providersettings.BaseURL: text("a"), providersettings.CommonsURL: text("b"),
		providersettings.Key: text(""), providersettings.ClientKey: text("c"),
	}, read(`{"enabled": false, "baseUrl": "a", "commonsUrl": "b", "key": "", "clientKey": "c"}`))
}

// FuzzSettingsPatch: whatever is sent, only what can be set is, or it is said what was
// wrong, without the key.
func FuzzSettingsPatch(f *testing.F) {
	for _, seed := range []string{
		`{}`, `null`, `{"enabled":true}`, `{"enabled":"true"}`, `{"key":null,"clientKey":"x"}`, `{"key":{"a":1}}`, `{"baseUrl":["http://x"]}`, `{"key":"a","key":null}`, `{"Key":"a"}`,
	} {
		f.Add(seed)
	}
	p := &patches{}
	r := NewRouter(nil, nil, slog.New(slog.DiscardHandler), []Routes{p})
	f.Fuzz(func(t *testing.T, body string) {
		p.read = nil
		got := answer(t, r, httptest.NewRequest(http.MethodPatch, "/patch", strings.NewReader(body)), http.StatusBadRequest, http.StatusRequestEntityTooLarge)
		if got.Code >= http.StatusBadRequest {
			require.Nil(t, p.read)
			return
		}
		for field, value := range p.read {
			require.Contains(t, providersettings.Fields, field)
			if field == providersettings.Enabled && value != nil {
				require.Contains(t, []string{providersettings.True, providersettings.False}, *value)
			}
		}
	})
}
