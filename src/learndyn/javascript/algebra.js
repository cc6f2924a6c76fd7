// The functions that generated programs call; each program holds those that it uses.
const load=(b,a,name)=>{if(a.length!=b.length)throw new RangeError(`${name} needs ${b.length} numbers, not ${a.length}`);b.set(a)};
const compare=(a,b)=>a<b?-1:a>b?1:(a!=a)-(b!=b);
const square=(x,f)=>f?f(x,x):x*x;
const power=(x,y)=>x==1||x==-1&&abs(y)==1/0?1:x**y;
const wholePower=(x,n,f=(a,b)=>a*b)=>{
  if(n<0)return 1/wholePower(x,-n,f);let y=1;for(;n>=1;n=floor(n/2)){if(n%2)y=f(y,x);x=f(x,x)}return y};
const whole=(x,low,high)=>min(max(trunc(x)||0,low),high);
const roundEven=x=>{const r=round(x);return r-x==.5&&r%2?r-1:r};
const roundAway=x=>x<0?-round(-x):round(x);
const quotient=(a,b)=>b?trunc(a/b):-1;
const remainder=(a,b)=>b?a%b:a;
const shiftLeft=(a,b)=>b>>>0<32?a<<b:0;
const shiftRight=(a,b,mask)=>b>>>0<32?((a&mask)>>>0)>>>b:0;
// Integers of 64 bits are exact up to 2^53; BigInt brings a larger product back into their range.
const wide=(a,b,f)=>Number(BigInt.asIntN(64,f(BigInt(a),BigInt(b))));
const times=(a,b)=>abs(a*b)<=2**53?a*b+0:wide(a,b,(a,b)=>a*b);
// erf by its series near 0, erfc by its continued fraction elsewhere.
const erfSeries=x=>{let t=x,s=x;for(let n=1;abs(t)>1e-17*abs(s);n++)s+=(t*=-x*x/n)/(2*n+1);return s*2/sqrt(PI)};
const erf=x=>abs(x)<2?erfSeries(x):x<0?erfc(-x)-1:1-erfc(x);
const erfc=x=>{
  if(!(x>=2))return x<=-2?2-erfc(-x):1-erfSeries(x);let f=0;for(let k=120;k;k--)f=k/2/(x+f);return exp(-x*x)/sqrt(PI)/(x+f)};
// Matrices, row after row: the operands, the results, the sizes of the operands, and the flags by their names in JAX.
const cholesky=(a,l,n)=>{
  l.fill(0);for(let j=0;j<n;j++)for(let i=j;i<n;i++){let s=a[i*n+j];for(let k=0;k<j;k++)s-=l[i*n+k]*l[j*n+k];
    if(i==j&&!(s>0))return l.fill(NaN);
    l[i*n+j]=i==j?sqrt(s):s/l[j*n+j]}};
const swap=(v,p,q)=>{const t=v[p];v[p]=v[q];v[q]=t};
const lu=(a,f,pivots,order,m,n)=>{
  f.set(a);for(let i=0;i<m;i++)order[i]=i;for(let k=0;k<min(m,n);k++){
    let p=k;for(let i=k+1;i<m;i++)if(abs(f[i*n+k])>abs(f[p*n+k]))p=i;
    pivots[k]=p;swap(order,k,p);for(let j=0;j<n;j++)swap(f,k*n+j,p*n+j);
    for(let i=k+1;i<m;i++){const g=f[k*n+k]?f[i*n+k]/=f[k*n+k]:0;for(let j=k+1;j<n;j++)f[i*n+j]-=g*f[k*n+j]}}};
const lu_pivots_to_permutation=(pivots,order,m,n)=>{for(let i=0;i<n;i++)order[i]=i;for(let i=0;i<m;i++)swap(order,i,pivots[i])};
// From the right means with the transpose, for the rows.
const triangular_solve=(a,b,x,n,_,rows,columns,conjugate,left,lower,transpose,unit)=>{
  const t=!left!=!!transpose,forward=!lower==t,m=left?columns:rows,at=(i,c)=>left?i*m+c:c*n+i;
  x.set(b);for(let c=0;c<m;c++)for(let z=0;z<n;z++){
    const i=forward?z:n-1-z;let y=x[at(i,c)];
    for(let k=forward?0:i+1;k<(forward?i:n);k++)y-=a[t?k*n+i:i*n+k]*x[at(k,c)];
    x[at(i,c)]=unit?y:y/a[i*n+i]}};
// Jacobi's rotations until nothing is left beside the diagonal; the largest entry of an eigenvector is positive.
const eigh=(a,v,w,n,_,lower)=>{
  const d=Array.from(a),u=d.map((_,k)=>k%(n+1)?0:1);
  for(let i=0;i<n;i++)for(let j=0;j<i;j++)lower?d[j*n+i]=d[i*n+j]:d[i*n+j]=d[j*n+i];
  for(let rest=1,turn=0;rest&&turn<60;turn++){rest=0;for(let p=0;p<n;p++)for(let q=p+1;q<n;q++){
    const e=d[p*n+q],h=(d[q*n+q]-d[p*n+p])/2/e,t=(h<0?-1:1)/(abs(h)+sqrt(h*h+1)),c=1/sqrt(t*t+1),s=t*c;
    const rotate=(m,i,j)=>{const x=m[i],y=m[j];m[i]=c*x-s*y;m[j]=s*x+c*y};
    if(!(abs(e)>1e-17*sqrt(abs(d[p*n+p]*d[q*n+q]))))continue;
    rest=1;for(let k=0;k<n;k++){rotate(d,k*n+p,k*n+q);rotate(u,k*n+p,k*n+q)}
    for(let k=0;k<n;k++)rotate(d,p*n+k,q*n+k)}}
  Array.from(w.keys()).sort((p,q)=>d[p*n+p]-d[q*n+q]).forEach((k,j)=>{
    let best=0;for(let i=0;i<n;i++)if(abs(u[i*n+k])>abs(best)*(1+1e-9))best=u[i*n+k];
    w[j]=d[k*n+k];for(let i=0;i<n;i++)v[i*n+j]=best<0?-u[i*n+k]:u[i*n+k]})};
