package attachments

// Photographs and drawings of pixels: decoded within bounds and drawn anew.

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/webp"
)

const (
	maxPixels = 40 << 20 // width × height, some 160 MB decoded
	maxSide   = 20_000   // pixels
)

// redraw decodes a picture within bounds and encodes it again: what is left
// has pixels and nothing else.
func redraw(body []byte, media string) (clean []byte, as string, err error) {
	bounds := map[string]func(io.Reader) (image.Config, error){"image/jpeg": jpeg.DecodeConfig, "image/png": png.DecodeConfig, "image/gif": gif.DecodeConfig, "image/webp": webp.DecodeConfig}
	decode := map[string]func(io.Reader) (image.Image, error){"image/jpeg": jpeg.Decode, "image/png": png.Decode, "image/gif": gif.Decode, "image/webp": webp.Decode}
	config, err := bounds[media](bytes.NewReader(body))
	if err != nil || config.Width < 1 || config.Height < 1 || config.Width > maxSide || config.Height > maxSide || config.Width*config.Height > maxPixels {
		return nil, "", errPicture
	}
	picture, err := decode[media](bytes.NewReader(body))
	if err != nil {
		return nil, "", errPicture
	}
	var out bytes.Buffer
	if media == "image/jpeg" {
		picture = upright(picture, orientation(body))
		if err := jpeg.Encode(&out, picture, &jpeg.Options{Quality: 85}); err != nil {
			return nil, "", fmt.Errorf("drawing a picture anew: %w", err)
		}
		return out.Bytes(), "image/jpeg", nil
	}
	if err := png.Encode(&out, picture); err != nil {
		return nil, "", fmt.Errorf("drawing a picture anew: %w", err)
	}
	return out.Bytes(), "image/png", nil
}

// orientation reads the one thing of a JPEG's metadata that must be drawn
// into the copy: how the camera was held (Exif 2.3, tag 0x0112).
func orientation(body []byte) int {
	i := bytes.Index(body[:min(len(body), 64<<10)], []byte("Exif\x00\x00"))
	if i < 0 {
		return 1
	}
	tiff := body[i+6:]
	if len(tiff) < 8 {
		return 1
	}
	big := string(tiff[:2]) == "MM"
	u16 := func(at int) int {
		if at < 0 || at+2 > len(tiff) {
			return 0
		}
		if big {
			return int(tiff[at])<<8 | int(tiff[at+1])
		}
		return int(tiff[at+1])<<8 | int(tiff[at])
	}
	ifd := u16(6) | u16(4)<<16
	if big {
		ifd = u16(4)<<16 | u16(6)
	}
	if ifd < 8 || ifd > len(tiff)-2 {
		return 1
	}
	for n, at := u16(ifd), ifd+2; n > 0 && at+12 <= len(tiff); n, at = n-1, at+12 {
		if u16(at) == 0x0112 {
			if v := u16(at + 8); v >= 1 && v <= 8 {
				return v
			}
		}
	}
	return 1
}

// turned is a picture seen upright.
type turned struct {
	image.Image
	how int
}

func upright(p image.Image, how int) image.Image {
	if how <= 1 {
		return p
	}
	return turned{p, how}
}

// Bounds of the turned picture.
func (t turned) Bounds() image.Rectangle {
	b := t.Image.Bounds()
	if t.how >= 5 {
		return image.Rect(0, 0, b.Dy(), b.Dx())
	}
	return image.Rect(0, 0, b.Dx(), b.Dy())
}

// At gives a pixel of the upright picture (Exif 2.3, values 2 to 8).
func (t turned) At(x, y int) color.Color {
	b := t.Image.Bounds()
	w, h := b.Dx()-1, b.Dy()-1
	switch t.how {
	case 2:
		x = w - x
	case 3:
		x, y = w-x, h-y
	case 4:
		y = h - y
	case 5:
		x, y = y, x
	case 6:
		x, y = y, h-x
	case 7:
		x, y = w-y, h-x
	case 8:
		x, y = w-y, x
	}
	return t.Image.At(b.Min.X+x, b.Min.Y+y)
}
