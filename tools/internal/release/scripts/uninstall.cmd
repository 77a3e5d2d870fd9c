@echo off
rem Stops the service @name@ and removes it from this host. Config file and logs stay. Run it as administrator.
setlocal
cd /d "%~dp0"
bin\@name@.exe uninstall
