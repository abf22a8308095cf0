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
		OrphanGrace: c.OrphanGrace.String(), HistoryKeep: c.HistoryKeep, ActivityKeep: fmt.Sprintf("%dd", c.KeepActivity/(24*time.Hour)),
		Uploads: rest.Uploads{
			MaxBytes: applyimage.MaxImageBytes, MaxAvatarBytes: applyimage.MaxAvatarBytes,
			MaxPixels: imagecheck.MaxPixels, MaxPixelsAVIF: imagecheck.MaxPixelsAVIF, MaxSide: imagecheck.MaxSide,
			Formats: []string{"image/jpeg", "image/png", "image/webp", "image/gif", "image/avif"},
		},
	}
}
