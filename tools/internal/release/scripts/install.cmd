@echo off
rem Makes @name@ a service of this host, and starts it. Run it as administrator, from where it shall stay.
setlocal
cd /d "%~dp0"
net session >nul 2>&1
if errorlevel 1 (
	echo This needs an administrator.
	exit /b 1
)
for %%d in (@folders@) do if not exist %%d mkdir %%d
rem S-1-5-19 is LocalService, an account with few rights: it may write where the service must, and nowhere else here.
for %%d in (conf @folders@) do icacls "%%d" /grant "*S-1-5-19:(OI)(CI)M" >nul || exit /b 1
bin\@name@.exe install --conf "%~dp0conf\@conf@" || exit /b 1
bin\@name@.exe start
