package bootstrap

import (
	"fmt"
	"strings"
	"time"

	"gatefold/adapters/imagecheck"
	"gatefold/adapters/rest"
	"gatefold/application/applyimage"
)

// shown returns what admins are shown of the configuration.
func (c Config) shown() rest.Configuration {
	database := "postgres"
	if strings.HasPrefix(c.DatabaseURL, sqliteScheme) {
		database = "sqlite"
	}
	return rest.Configuration{
		Version: version(), Database: database, Storage: string(c.Storage), Redis: c.Cache.Redis.Configured(), MusicFolder: c.MusicDir != "",
		OrphanGrace: c.OrphanGrace.String(), HistoryKeep: c.HistoryKeep, DeletedKeep: c.DeletedKeep.String(), ActivityKeep: inDays(c.KeepActivity),
		Uploads: rest.Uploads{
			MaxBytes: applyimage.MaxImageBytes, MaxAvatarBytes: applyimage.MaxAvatarBytes,
			MaxPixels: imagecheck.MaxPixels, MaxPixelsAVIF: imagecheck.MaxPixelsAVIF, MaxSide: imagecheck.MaxSide,
			Formats: []string{"image/jpeg", "image/png", "image/webp", "image/gif", "image/avif"},
		},
		Access: c.shownAccess(),
		Limits: rest.Limits{
			Requests: c.HTTP.Limits.Requests, Uploads: c.HTTP.Limits.Uploads, Logins: c.HTTP.Limits.Logins, Tokens: c.HTTP.Limits.Tokens,
		},
		Memory: rest.Memory{BytesCache: c.BytesCacheMB, Decoding: c.DecodeMemoryMB, Uploads: c.HTTP.UploadsMB, Renditions: c.RenditionsMB},
	}
}

func (c Config) shownAccess() rest.Access {
	access := rest.Access{
		PublicImages: c.HTTP.PublicImages, CORSOrigins: append([]string{}, c.HTTP.CORSOrigins...), TrustedProxies: []string{},
		HSTSMaxAge: inDays(c.HTTP.HSTSMaxAge), AccessTokenTTL: c.Identity.Lives.AccessLife.String(),
		RefreshTokenTTL: c.Identity.Lives.RefreshLife.String(), SessionMaxAge: inDays(c.Identity.Lives.MaxAge), IdentityIssuer: c.Identity.Provider.Issuer,
	}
	for _, proxy := range c.HTTP.TrustedProxies {
		access.TrustedProxies = append(access.TrustedProxies, proxy.String())
	}
	return access
}

func inDays(d time.Duration) string { return fmt.Sprintf("%dd", d/(24*time.Hour)) }
