package artwork

// Ideal returns the size in pixels that images of the slot are best in: what
// fanart.tv asks its contributors for (fanart.tv/music-fanart), and 1000 pixels, or
// 500 for an avatar, for what is square. More is not better to look at.
func (s Slot) Ideal() (width, height int) {
	switch s {
	case SlotProfile, SlotCover:
		return 1000, 1000
	case SlotBackground:
		return 1920, 1080
	case SlotBanner:
		return 1000, 185
	case SlotLogo:
		return 800, 310
	case SlotAvatar:
		return 500, 500
	}
	return 0, 0
}

// Resolution returns the one number by which images of the slot are told larger or
// smaller: the shorter side of what is shown as a square, else the width.
func (s Slot) Resolution(width, height int) int {
	switch s {
	case SlotProfile, SlotCover, SlotAvatar:
		return min(width, height)
	default:
		return width
	}
}
