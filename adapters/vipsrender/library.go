//go:build vips

package vipsrender

// #cgo pkg-config: vips
// #include <stdlib.h>
// #ifdef __linux__
// #include <malloc.h>
// #endif
// #include <vips/vips.h>
//
// static void few_arenas(void) {
// #ifdef M_ARENA_MAX
//	mallopt(M_ARENA_MAX, 2);
// #endif
// }
//
// static int is_operation(const char *name) {
//	return vips_type_find("VipsOperation", name) != 0;
// }
import "C"

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"unsafe"

	"github.com/davidbyttow/govips/v2/vips"
)

// library is libvips, which a process has once: it can be started, and then neither
// stopped and started again nor told other settings.
var library struct {
	once sync.Once
	err  error
}

// loaders are the only operations that may read an image: those of the formats that are
// accepted, from memory.
var loaders = [...]string{"VipsForeignLoadJpegBuffer", "VipsForeignLoadPngBuffer", "VipsForeignLoadWebpBuffer", "VipsForeignLoadNsgifBuffer", "VipsForeignLoadHeifBuffer"}

// needed are the operations that this package uses and that libvips can be built without.
var needed = [...]string{
	"jpegload_buffer", "pngload_buffer", "webpload_buffer", "gifload_buffer", "heifload_buffer",
	"jpegsave_buffer", "pngsave_buffer", "webpsave_buffer", "heifsave_buffer", "icc_transform",
}

// start starts libvips, with the first log that it is given.
func start(log *slog.Logger) error {
	library.once.Do(func() { library.err = startLibrary(log) })
	return library.err
}

func startLibrary(log *slog.Logger) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("libvips: %v", p)
		}
	}()
	// What is decoded is accounted for: it stays in memory and is not moved to files.
	if err := os.Setenv("VIPS_DISC_THRESHOLD", "4g"); err != nil {
		return err
	}
	// An arena of glibc keeps what was freed, and there is one for each thread.
	C.few_arenas()
	vips.LoggingSettings(func(domain string, level vips.LogLevel, message string) { note(log, domain, level, message) }, vips.LogLevelWarning)
	// Several renditions are made at once; each in one thread. No image is seen twice.
	vips.Startup(&vips.Config{ConcurrencyLevel: 1})
	C.vips_block_untrusted_set(C.TRUE)
	block("VipsForeignLoad", true)
	for _, loader := range loaders {
		block(loader, false)
	}
	return canDo()
}

// note logs what libvips warns of. What govips says of itself comes as errors too.
func note(log *slog.Logger, domain string, level vips.LogLevel, message string) {
	if domain == "govips" {
		return
	}
	at := slog.LevelWarn
	if level < vips.LogLevelWarning {
		at = slog.LevelError
	}
	log.Log(context.Background(), at, "libvips", "domain", domain, "message", message)
}

func block(class string, blocked bool) {
	name := C.CString(class)
	defer C.free(unsafe.Pointer(name))
	state := C.gboolean(C.FALSE)
	if blocked {
		state = C.TRUE
	}
	C.vips_operation_block_set(name, state)
}

// canDo fails if libvips was built without something that is needed.
func canDo() error {
	for _, operation := range needed {
		name := C.CString(operation)
		found := C.is_operation(name) != 0
		C.free(unsafe.Pointer(name))
		if !found {
			return fmt.Errorf("libvips %s was built without %s", vips.Version, operation)
		}
	}
	// Whether there is an encoder of AV1 only shows when it is used.
	img, err := vips.Black(16, 16)
	if err != nil {
		return err
	}
	defer img.Close()
	if _, err = encodeAVIF(img); err != nil {
		return fmt.Errorf("libvips %s encodes no AVIF: %w", vips.Version, brief(err))
	}
	return nil
}
