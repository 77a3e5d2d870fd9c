package daemon

// Give makes a user the owner of what a service needs, as install does.
func Give(uid, gid int, conf string, plan Plan) error {
	_, err := account{name: "service", uid: uid, gid: gid}.give(conf, plan)
	return err
}

// TakeBack makes root the owner of what a user has, as uninstall does.
func TakeBack(uid int, home string) error { return account{uid: uid}.takeBack(home) }
