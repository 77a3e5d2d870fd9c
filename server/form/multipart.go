package form

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"mime/multipart"
	"path"
	"strings"
)

// fileField is the name of the part that is a file.
const fileField = "file"

// readSize is how much of a body is read at a time, in bytes.
const readSize = 256 << 10

func (rd *reader) multipart(boundary string) error {
	if boundary == "" {
		return errors.New("content type: no boundary")
	}
	// The reader of parts takes a body that breaks off between two parts for one that ends there: this one has no such end.
	whole := io.MultiReader(rd.body, strings.NewReader("\r\n"), brokenOff{})
	if rd.store != nil { // it also reads 4 KiB at a time, which would be a system call each of a file
		whole, rd.form.release = rd.store.readAhead(whole)
	}
	return rd.parts(multipart.NewReader(whole, boundary))
}

// parts reads parts up to the end, or the first that is a large file.
func (rd *reader) parts(parts *multipart.Reader) error {
	for {
		p, err := parts.NextRawPart()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		had := rd.form.File
		if err := rd.part(p); err != nil {
			return err
		}
		if f := rd.form.File; f != had && f.Grows() {
			if rd.form.Has("md5") {
				f.wantSum()
			}
			rd.form.rest = func() error {
				if err := f.fill(); err != nil {
					return err
				}
				return rd.parts(parts)
			}
			return nil
		}
	}
}

// brokenOff is what comes after a body.
type brokenOff struct{}

func (brokenOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func (rd *reader) part(p *multipart.Part) error {
	switch name := p.FormName(); {
	case name == "":
		return errors.New("a part has no name")
	case name != fileField || rd.store == nil:
		return rd.add(name, p)
	case rd.form.File != nil:
		return errors.New("file: there are two")
	}
	var err error
	rd.form.File, err = rd.store.begin(baseName(p), p)
	return err
}

// baseName is the last part of a file's name on the caller's side, whose system may write folders with either slash.
func baseName(p *multipart.Part) string {
	name := path.Base(strings.ReplaceAll(p.FileName(), `\`, "/"))
	if name == "." || name == "/" {
		return ""
	}
	return name
}

// ErrSum is a file that is not what the form says of it.
var ErrSum = Bad("md5:invalid checksum")

// WantMD5 is the value of md5, which is in hexadecimal; nil if there is none. One that is no checksum is the error of a wrong one.
func (f *Form) WantMD5() (*[md5.Size]byte, error) {
	text := f.Get("md5")
	if text == "" {
		return nil, nil
	}
	want, err := hex.DecodeString(text)
	switch {
	case err != nil:
		return nil, Bad("md5:%v", err)
	case len(want) != md5.Size:
		return nil, ErrSum
	}
	return (*[md5.Size]byte)(want), nil
}

// CheckMD5 compares the file with the value of md5, if there is one.
func (f *Form) CheckMD5() error {
	want, err := f.WantMD5()
	if err != nil || want == nil || f.File == nil {
		return err
	}
	got, err := f.File.MD5()
	if err == nil && got != *want {
		err = ErrSum
	}
	return err
}
