package rest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"gatefold/adapters/rest/api"
	"gatefold/application/accesstoken"
	"gatefold/application/followsettings"
	"gatefold/application/providersettings"
	"gatefold/domain/artwork"
)

// Configuration is what admins are shown of the environment's settings: none of them is
// a secret.
type Configuration struct {
	Version      string  `json:"version"`
	Database     string  `json:"database"` // "postgres" or "sqlite"
	Storage      string  `json:"storage"`  // "disk" or "s3"
	Redis        bool    `json:"redis"`    // it is configured
	MusicFolder  bool    `json:"musicFolder"`
	OrphanGrace  string  `json:"orphanGrace"`
	HistoryKeep  *int    `json:"historyKeep"` // former pictures of a slot; null: all
	DeletedKeep  string  `json:"deletedKeep"`
	ActivityKeep string  `json:"activityKeep"` // "0d": for ever
	Uploads      Uploads `json:"uploads"`
	Access       Access  `json:"access"`
	Limits       Limits  `json:"limits"`
	Memory       Memory  `json:"memory"`
}

// Access says who gets in, and for how long.
type Access struct {
	PublicImages    bool     `json:"publicImages"`
	CORSOrigins     []string `json:"corsOrigins"`    // none: only our own pages
	TrustedProxies  []string `json:"trustedProxies"` // networks
	HSTSMaxAge      string   `json:"hstsMaxAge"`     // "0d": browsers are told nothing
	AccessTokenTTL  string   `json:"accessTokenTtl"`
	RefreshTokenTTL string   `json:"refreshTokenTtl"`
	SessionMaxAge   string   `json:"sessionMaxAge"`  // "0d": they do not end by that
	IdentityIssuer  string   `json:"identityIssuer"` // of the identity provider; "": there is none
}

// Limits are how many requests a minute each caller has; 0: as many as they want.
type Limits struct {
	Requests int `json:"requests"`
	Uploads  int `json:"uploads"`
	Logins   int `json:"logins"`
	Tokens   int `json:"tokens"` // of each API token
}

// Memory says what of an instance is bounded, in MB.
type Memory struct {
	BytesCache int `json:"bytesCacheMb"`
	Decoding   int `json:"decodingMb"`
	Uploads    int `json:"uploadsMb"`    // that are taken in at the same time
	Renditions int `json:"renditionsMb"` // that are kept in the store; 0: all
}

// Uploads says which images are accepted.
type Uploads struct {
	MaxBytes       int      `json:"maxBytes"`
	MaxAvatarBytes int      `json:"maxAvatarBytes"`
	MaxPixels      int      `json:"maxPixels"`
	MaxPixelsAVIF  int      `json:"maxPixelsAvif"` // of that format
	MaxSide        int      `json:"maxSide"`
	Formats        []string `json:"formats"` // media types
}

// cacheInForce are the cache settings that the deployment reads by; durations are
// written as in the configuration.
type cacheInForce struct {
	Mode     artwork.CacheMode `json:"mode"`
	CacheTTL string            `json:"cacheTtl"`
	L1TTL    string            `json:"l1Ttl"`
}

// Settings are the routes by which admins set up providers, and see how Gatefold is
// configured.
type Settings struct {
	providers     *providersettings.Settings
	cache         *followsettings.Switch
	configuration Configuration
}

// NewSettings returns the routes under /api/admin/settings.
func NewSettings(providers *providersettings.Settings, cache *followsettings.Switch, configuration Configuration) *Settings {
	return &Settings{providers, cache, configuration}
}

// Register implements Routes. There is no PUT: it would have to carry the keys, which
// nobody can read.
func (h *Settings) Register(r *Router) {
	const path, provider = "/api/admin/settings", "/api/admin/settings/providers/:provider"
	r.guarded(http.MethodGet, path, accesstoken.Admin, h.list)
	r.guarded(http.MethodPut, path+"/order", accesstoken.Admin, h.setOrder)
	r.guarded(http.MethodDelete, path+"/order", accesstoken.Admin, h.resetOrder)
	r.guarded(http.MethodGet, provider, accesstoken.Admin, h.get)
	r.guarded(http.MethodPatch, provider, accesstoken.Admin, h.change)
	r.guarded(http.MethodDelete, provider, accesstoken.Admin, h.reset)
	r.guarded(http.MethodPost, provider+"/test", accesstoken.Admin, h.test)
}

// settingOut is what is told of any setting.
type settingOut struct {
	Source   providersettings.Source `json:"source"`
	Variable string                  `json:"variable"` // of the environment
	Pinned   bool                    `json:"pinned"`   // the settings cannot change it
	// Stored: something is set, in force or not.
	Stored    bool      `json:"stored"`
	ChangedAt time.Time `json:"changedAt,omitzero"`
	ChangedBy string    `json:"changedBy,omitempty"`
}

type switchOut struct {
	Value *bool `json:"value"` // null: it is asked if it has the key that it needs
	settingOut
}

type urlOut struct {
	Value string `json:"value"`
	settingOut
}

// keyOut tells of a key all but the key.
type keyOut struct {
	HasKey     bool `json:"hasKey"`     // one that can be used
	Unreadable bool `json:"unreadable"` // one is stored that no secret opens
	settingOut
}

// rateOut is how often a provider is asked at most.
type rateOut struct {
	Requests   int     `json:"requests"`
	PerSeconds float64 `json:"perSeconds"`
}

// providerOut is a provider as it is set up.
type providerOut struct {
	ID         string                 `json:"id"`
	Name       string                 `json:"name"`
	Types      []artwork.Slot         `json:"types"` // that it has images for
	NeedsKey   bool                   `json:"needsKey"`
	HasKey     bool                   `json:"hasKey"`
	Note       string                 `json:"note,omitempty"`
	Rate       rateOut                `json:"rate"`
	State      providersettings.State `json:"state"`
	Revision   int64                  `json:"revision"` // also the ETag, for If-Match
	Enabled    switchOut              `json:"enabled"`
	BaseURL    *urlOut                `json:"baseUrl,omitempty"`
	CommonsURL *urlOut                `json:"commonsUrl,omitempty"`
	Key        *keyOut                `json:"key,omitempty"`
	ClientKey  *keyOut                `json:"clientKey,omitempty"`
}

func providerOutOf(p providersettings.Resolved) providerOut {
	out := providerOut{
		ID: p.ID, Name: p.Name, Types: append([]artwork.Slot{}, p.Slots...), NeedsKey: p.NeedsKey, HasKey: p.Settings[providersettings.Key].Key != "",
		Note: p.Note, Rate: rateOut{p.Rate.Requests, p.Rate.Per.Seconds()}, State: p.State(), Revision: p.Revision,
		BaseURL: urlOutOf(p, providersettings.BaseURL), CommonsURL: urlOutOf(p, providersettings.CommonsURL),
		Key: keyOutOf(p, providersettings.Key), ClientKey: keyOutOf(p, providersettings.ClientKey),
	}
	enabled := p.Settings[providersettings.Enabled]
	out.Enabled.settingOut = settingOutOf(enabled)
	if enabled.Value != providersettings.Auto {
		on := enabled.Value == providersettings.True
		out.Enabled.Value = &on
	}
	return out
}

func settingOutOf(s providersettings.Setting) settingOut {
	return settingOut{s.Source, s.Variable, s.Pinned, s.Stored, s.ChangedAt, s.ChangedBy}
}

func urlOutOf(p providersettings.Resolved, field providersettings.Field) *urlOut {
	setting, ok := p.Settings[field]
	if !ok {
		return nil
	}
	return &urlOut{setting.Value, settingOutOf(setting)}
}

func keyOutOf(p providersettings.Resolved, field providersettings.Field) *keyOut {
	setting, ok := p.Settings[field]
	if !ok {
		return nil
	}
	return &keyOut{setting.Key != "", setting.Unreadable, settingOutOf(setting)}
}

func (h *Settings) list(c *gin.Context) error {
	overview, err := h.providers.List(c.Request.Context())
	if err != nil {
		return err
	}
	state, err := h.cache.Look(c.Request.Context())
	if err != nil {
		return err
	}
	providers := make([]providerOut, len(overview.Providers))
	for i, p := range overview.Providers {
		providers[i] = providerOutOf(p)
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, gin.H{
		"revision": overview.Revision, "providers": providers, "order": orderOutOf(overview.Order),
		"configuration": struct {
			Configuration
			Cache cacheInForce `json:"cache"`
		}{h.configuration, cacheInForce{state.Read.Mode, artwork.FormatTerm(state.Read.TTL), artwork.FormatTerm(state.Read.L1TTL)}},
	})
	return nil
}

// orderOut is whose images are preferred.
type orderOut struct {
	Providers []string `json:"providers"`
	Chosen    bool     `json:"chosen"` // somebody has put them in order
	Revision  int64    `json:"revision"`
	settingOut
}

func orderOutOf(o providersettings.Ordering) orderOut {
	return orderOut{o.Providers, o.Value != "", o.Revision, settingOutOf(o.Setting)}
}

func answerOrder(c *gin.Context, o providersettings.Ordering, err error) error {
	if err != nil {
		return err
	}
	c.Header("ETag", `"`+strconv.FormatInt(o.Revision, 10)+`"`)
	c.JSON(http.StatusOK, orderOutOf(o))
	return nil
}

func (h *Settings) setOrder(c *gin.Context) error {
	match, err := matchRevision(c)
	if err != nil {
		return err
	}
	var in api.ProviderOrderWish
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	o, err := h.providers.SetOrder(c.Request.Context(), caller(c), match, in.Providers)
	return answerOrder(c, o, err)
}

func (h *Settings) resetOrder(c *gin.Context) error {
	match, err := matchRevision(c)
	if err != nil {
		return err
	}
	o, err := h.providers.ResetOrder(c.Request.Context(), caller(c), match)
	return answerOrder(c, o, err)
}

// answerProvider answers with a provider as it is set up now.
func answerProvider(c *gin.Context, p providersettings.Resolved, err error) error {
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "no-store")
	c.Header("ETag", `"`+strconv.FormatInt(p.Revision, 10)+`"`)
	c.JSON(http.StatusOK, providerOutOf(p))
	return nil
}

func (h *Settings) get(c *gin.Context) error {
	p, err := h.providers.Get(c.Request.Context(), c.Param("provider"))
	return answerProvider(c, p, err)
}

func (h *Settings) change(c *gin.Context) error {
	match, err := matchRevision(c)
	if err != nil {
		return err
	}
	patch, err := readSettingsPatch(c)
	if err != nil {
		return err
	}
	if len(patch) == 0 {
		return artwork.Errorf(artwork.InvalidInput, "name what to change: enabled, baseUrl, key, …")
	}
	p, err := h.providers.Change(c.Request.Context(), caller(c), c.Param("provider"), match, patch)
	return answerProvider(c, p, err)
}

func (h *Settings) reset(c *gin.Context) error {
	match, err := matchRevision(c)
	if err != nil {
		return err
	}
	p, err := h.providers.Reset(c.Request.Context(), caller(c), c.Param("provider"), match)
	return answerProvider(c, p, err)
}

// test asks the provider as the body would have it set up: {} as it is.
func (h *Settings) test(c *gin.Context) error {
	patch, err := readSettingsPatch(c)
	if err != nil {
		return err
	}
	outcome, err := h.providers.Test(c.Request.Context(), caller(c), c.Param("provider"), patch)
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, gin.H{"ok": outcome.OK, "tookMs": outcome.Took.Milliseconds(), "message": outcome.Message})
	return nil
}

// optional is a field of a patch: absent, null, or a value.
type optional[T any] struct {
	given bool
	value *T
}

// UnmarshalJSON is called for null too.
func (o *optional[T]) UnmarshalJSON(data []byte) error {
	o.given = true
	return json.Unmarshal(data, &o.value)
}

// settingsPatch is a JSON merge patch (RFC 7396) of what can be set.
type settingsPatch struct {
	Enabled    optional[bool]   `json:"enabled"`
	BaseURL    optional[string] `json:"baseUrl"`
	CommonsURL optional[string] `json:"commonsUrl"`
	Key        optional[string] `json:"key"`
	ClientKey  optional[string] `json:"clientKey"`
}

func readSettingsPatch(c *gin.Context) (providersettings.Patch, error) {
	var body settingsPatch
	if err := decodeJSON(c, &body); err != nil {
		return nil, err
	}
	patch := providersettings.Patch{}
	for field, text := range map[providersettings.Field]optional[string]{
		providersettings.BaseURL: body.BaseURL, providersettings.CommonsURL: body.CommonsURL,
		providersettings.Key: body.Key, providersettings.ClientKey: body.ClientKey,
	} {
		if text.given {
			patch[field] = text.value
		}
	}
	if body.Enabled.given {
		patch[providersettings.Enabled] = nil
		if on := body.Enabled.value; on != nil {
			text := strconv.FormatBool(*on)
			patch[providersettings.Enabled] = &text
		}
	}
	return patch, nil
}

// matchRevision reads If-Match; nil: whatever is set may be replaced.
func matchRevision(c *gin.Context) (*int64, error) {
	tag, err := ifMatch(c)
	if tag == "" || err != nil {
		return nil, err
	}
	revision, err := strconv.ParseInt(string(tag), 10, 64)
	if err != nil {
		revision = -1 // no provider ever has it
	}
	return &revision, nil
}
