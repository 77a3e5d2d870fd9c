// Package manifest reads conf/manifest.yaml, the file in which an agent describes its configuration: it checks the
// description, decides which settings are active and valid, and checks and writes configuration files after it.
//
// [Check] gives every finding of a manifest at once, each with its rule, its place, a message in English and Chinese, and
// a fix where one is safe, and beside them the decoded [Manifest]. [Load] is for a program that wants a valid manifest or an
// error. With a Manifest, [Manifest.Evaluate] judges values, [Manifest.ParseConf] a configuration file, and
// [Manifest.WriteConf] makes one.
//
// What is read is never trusted: text that is no YAML, is too large or refers to itself is a finding, within a second and
// a hundred megabytes. Nothing here keeps a state: all functions may run beside each other, and so may the methods of a
// Manifest, which never changes.
//
// The rules are those of [Rules]; docs/manifest-rules.md shows a bad and a good example of each. Package form makes JSON
// Schemas and HTML pages of a manifest, package lint is the command manifest-lint.
package manifest
