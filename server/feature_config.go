package server

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"

	"github.com/jkstack/jkframe/v2/kvconf"
)

// configFile is the struct that a config file is decoded into: the settings of a [Config], and a section for each
// feature that has some, which points to the feature's own struct.
type configFile struct {
	reflect.Value // of a struct made for these features
	own           int
}

// newConfigFile makes the struct. It fails for a feature whose settings are no pointer to a struct.
func newConfigFile(features []Feature) (configFile, error) {
	var fields []reflect.StructField
	var values []reflect.Value
	config := reflect.TypeFor[Config]()
	for i := range config.NumField() {
		f := config.Field(i)
		fields = append(fields, reflect.StructField{Name: f.Name, Type: f.Type, Tag: f.Tag})
	}
	own := len(fields)
	for i, f := range features {
		c, ok := f.(Configurer)
		if !ok {
			continue
		}
		v := reflect.ValueOf(c.Settings())
		if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
			return configFile{}, fmt.Errorf("feature %q: settings are a %T, not a pointer to a struct", f.Name(), c.Settings())
		}
		fields = append(fields, reflect.StructField{
			Name: "Feature" + strconv.Itoa(i), Type: v.Type(), Tag: reflect.StructTag(`kv:` + strconv.Quote(f.Name())),
		})
		values = append(values, v)
	}
	c := configFile{Value: reflect.New(reflect.StructOf(fields)).Elem(), own: own}
	for i, v := range values {
		c.Field(own + i).Set(v)
	}
	return c, nil
}

// decode reads the settings. Those of features go where they are.
func (c configFile) decode(d *kvconf.Decoder) (cfg Config, err error) {
	err = d.Decode(c.Addr().Interface())
	for i := range c.own {
		reflect.ValueOf(&cfg).Elem().Field(i).Set(c.Field(i))
	}
	return cfg, err
}

// featureProblems is what is wrong with the settings of features.
func featureProblems(features []Feature) []*FieldError {
	var list []*FieldError
	for _, f := range features {
		c, ok := f.(Configurer)
		if !ok {
			continue
		}
		v, ok := c.Settings().(interface{ Validate() error })
		if !ok {
			continue
		}
		err := v.Validate()
		if err == nil {
			continue
		}
		for _, one := range joined(err) {
			key, why := f.Name(), one
			if e := (*FieldError)(nil); errors.As(one, &e) {
				key, why = key+"."+e.Key, e.Err
			}
			list = append(list, &FieldError{Key: key, Err: why})
		}
	}
	return list
}
